// SPDX-License-Identifier: MIT
// Registrations in epoll sets. They live in the kernel, with the program's own data word, so the library remembers
// those of sockets that may yet get a CONNECT or a BIND. During a CONNECT a registration is masked: the kernel holds
// the handshake's events and a cookie instead.
#pragma once
#include "kernel/uninterrupted.h"
#include "sockets/identity.h"
#include "sockets/unfinished.h"
#include <optional>
#include <sys/epoll.h>

namespace socksify::epoll {

using sockets::Identity;

inline constexpr int most_sets = 64; // for one socket

struct Registration {
  int epfd = -1; // the set's number; below 0: none
  int fd = -1;   // the number it was registered by
  uint64_t data = 0;
  uint32_t events = 0;
  short handshake = 0; // while masked: the poll() events that the kernel waits for instead
  bool is_listener = false;
  Identity socket = 0;

  bool is_masked() const { return handshake != 0; }
  bool operator==(const Registration&) const = default;
};

// The key of a registration: that of its socket, with a number below most_sets.
uint64_t key_of(Identity socket, int number);

std::optional<Registration> registration_at(uint64_t key);

// The key of this registration; 0 if there is none.
uint64_t key_for(Identity socket, int epfd, int fd);

// Reserves a place for a new registration of the socket: its key, or 0 if there is no memory.
uint64_t reserve(Identity socket, int fd);

void store(uint64_t key, const Registration& registration);

// False if another thread has changed it meanwhile.
bool compare_and_store(uint64_t key, const Registration& before, const Registration& registration);

// The place stays, for the next registration of the same socket.
inline void forget(uint64_t key) { store(key, Registration{}); }

// EPOLL_CTL_DEL; forgets the registration if `key` is not 0.
int remove(uint64_t key, int epfd, int fd, epoll_event* event);

bool no_registrations();

// Calls visit(key, registration) for each registration of the socket.
template <typename Visit> void for_each_of(Identity socket, Visit visit) {
  if (!socket || no_registrations())
    return;
  for (int number = 0; number < most_sets; ++number) {
    const auto registration = registration_at(key_of(socket, number));
    if (!registration)
      return; // numbers are dense: see forget()
    if (registration->epfd >= 0)
      visit(key_of(socket, number), *registration);
  }
}

void count_masked(bool was_masked, bool is_masked);

// While it lives, the kernel may hold a cookie whose registration is not stored yet, or no longer. Not to be left.
class MaskChange {
public:
  MaskChange() { unfinished.masked.fetch_add(1, std::memory_order_acq_rel); }
  ~MaskChange() { count_masked(true, false); }
  MaskChange(const MaskChange&) = delete;
  MaskChange& operator=(const MaskChange&) = delete;

private:
  const Uninterrupted m_whole;
};

// True if a set may report events of a handshake.
inline bool any_masked() { return unfinished.masked.load(std::memory_order_relaxed) > 0; }

// True if no set that this process knows has ever held a cookie, of this process or of another one.
bool has_no_cookies();

// Changes whenever a registration is unmasked: events that the kernel reported before may still be the handshake's.
inline uint32_t times_unmasked() { return unfinished.times_unmasked.load(std::memory_order_acquire); }

// A data word that no program uses by chance, for the registration with this key. Its own inverse.
uint64_t cookie_of(uint64_t key);

// True if this data word is a cookie. That shows in the word itself, because the kernel may still report an event of a
// registration that another thread has removed, or that another process has made in a shared set.
bool is_cookie(uint64_t data);

} // namespace socksify::epoll
