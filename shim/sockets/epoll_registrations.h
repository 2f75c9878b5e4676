// SPDX-License-Identifier: MIT
// Registrations in epoll sets. They live in the kernel with the program's own data word; so we remember those of
// sockets that may yet get a CONNECT or a BIND. While a CONNECT is on its way the registration is withheld: the kernel
// holds the events of the handshake and a token of ours in its place. Afterwards the program's own is given back.
#pragma once
#include "sockets/registry.h"
#include <atomic>
#include <sys/epoll.h>

namespace socksify::epoll {

using sockets::Identity;

inline constexpr int most_sets = 64; // that one socket can be in

struct Registration {
  int epfd = -1; // the set's number; below 0: none
  int fd = -1;   // the number it was registered by
  uint64_t data = 0;
  uint32_t events = 0;
  short handshake = 0; // while it is withheld: the events of poll() that the kernel waits for in its place
  bool is_listener = false;
  Identity socket = 0;

  bool is_masked() const { return handshake != 0; }
  bool operator==(const Registration&) const = default;
};

// A registration's key is that of its socket, and a number below most_sets.
uint64_t key_of(Identity socket, int number);

std::optional<Registration> find(uint64_t key);

// The key of this registration; 0 if there is none.
uint64_t locate(Identity socket, int epfd, int fd);

// A place for a new registration of the socket: its key, or 0 if there is none.
uint64_t reserve(Identity socket, int fd);

void store(uint64_t key, const Registration& registration);

// True unless another thread has changed it meanwhile.
bool compare_and_store(uint64_t key, const Registration& before, const Registration& registration);

// Its place stays, for the next registration of the same socket.
inline void forget(uint64_t key) { store(key, Registration{}); }

// EPOLL_CTL_DEL, and forgets the registration if `key` is not 0.
int remove(uint64_t key, int epfd, int fd, epoll_event* event);

// True if nothing is remembered.
bool no_registrations();

// Calls visit(key, registration) for those of the socket.
template <typename Visit> void for_each_of(Identity socket, Visit visit) {
  if (!socket || no_registrations())
    return;
  for (int number = 0; number < most_sets; ++number) {
    const auto registration = find(key_of(socket, number));
    if (!registration)
      return; // numbers are dense: see forget()
    if (registration->epfd >= 0)
      visit(key_of(socket, number), *registration);
  }
}

// How many registrations hold a token in the kernel now, and how often one has ceased to.
inline constinit std::atomic<int> masked{0};
inline constinit std::atomic<uint32_t> unmasked{0};

void count_masked(bool was_masked, bool is_masked);

// While it lives, the kernel may hold a token that is not remembered yet, or not any more.
class MaskChange {
public:
  MaskChange() { masked.fetch_add(1, std::memory_order_acq_rel); }
  ~MaskChange() { count_masked(true, false); }
  MaskChange(const MaskChange&) = delete;
  MaskChange& operator=(const MaskChange&) = delete;
};

// True if events of a handshake's may come out of any set, or out of this one.
inline bool any_masked() { return masked.load(std::memory_order_relaxed) > 0; }
bool holds_masked(int epfd);

// Changes when a registration is given back: what the kernel has said before may be an event of the handshake's still.
inline uint32_t times_unmasked() { return unmasked.load(std::memory_order_acquire); }

// A data word that no program has by chance, which means: the registration with this key. Its own inverse.
uint64_t cookie_of(uint64_t key);

// The registration whose token an event from this set carries; nothing for an event of the program's.
std::optional<Registration> registration_for(int epfd, const epoll_event& event);

} // namespace socksify::epoll
