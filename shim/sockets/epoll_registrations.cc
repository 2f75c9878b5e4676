// SPDX-License-Identifier: MIT
#include "sockets/epoll_registrations.h"
#include "base/fd.h"
#include "kernel/cookie_map.h"
#include "kernel/open_fds.h"
#include "kernel/real.h"
#include <cstring>
#include <sys/auxv.h>

namespace socksify::epoll {
namespace {

constinit CookieMap table;
// In place of the set's number: the place is free, or taken by a registration that the kernel has yet to agree to.
constexpr int no_set = -1, undecided = -2;

// Forgets the registrations of sockets that are closed.
void sweep() {
  KeepErrno keep;
  if (!table.begin_sweep())
    return;
  size_t seen = 0;
  for_each_open_fd([&](int fd) {
    ++seen;
    if (const Identity socket = sockets::identity(fd))
      for (int number = 0; number < most_sets; ++number)
        table.keep(key_of(socket, number));
  });
  table.end_sweep(seen, [](uint64_t, const CookieMap::Value& value) {
    count_masked(unpack<Registration>(value).is_masked(), false);
  });
}

// Takes a place that is there. False if it is not free.
bool take(uint64_t key, const Registration& registration) {
  return table.update(key, [&](CookieMap::Value& value) {
    const bool is_free = unpack<Registration>(value).epfd == no_set;
    if (is_free)
      value = pack(registration);
    return is_free;
  });
}

} // namespace

uint64_t key_of(Identity socket, int number) { return socket * most_sets + static_cast<uint64_t>(number); }

std::optional<Registration> find(uint64_t key) {
  CookieMap::Value value;
  if (!table.find(key, value))
    return std::nullopt;
  return unpack<Registration>(value);
}

uint64_t locate(Identity socket, int epfd, int fd) {
  uint64_t found = 0;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    if (registration.epfd == epfd && registration.fd == fd)
      found = key;
  });
  return found;
}

uint64_t reserve(Identity socket, int fd) {
  const Registration reserved{.epfd = undecided};
  for (int number = 0; number < most_sets; ++number) {
    const uint64_t key = key_of(socket, number);
    if (find(key)) {
      if (take(key, reserved))
        return key;
      continue;
    }
    if (table.needs_sweep(key, static_cast<size_t>(fd)))
      sweep();
    if (table.insert(key, pack(reserved)))
      return key;
    if (!find(key))
      return 0; // no memory; another number would not be found by for_each_of()
  }
  return 0;
}

void store(uint64_t key, const Registration& registration) {
  bool was_masked = false;
  table.update(key, [&](CookieMap::Value& value) {
    was_masked = unpack<Registration>(value).is_masked();
    value = pack(registration);
    return true;
  });
  count_masked(was_masked, registration.is_masked());
}

bool compare_and_store(uint64_t key, const Registration& before, const Registration& registration) {
  const bool done = table.update(key, [&](CookieMap::Value& value) {
    const bool is_same = unpack<Registration>(value) == before;
    if (is_same)
      value = pack(registration);
    return is_same;
  });
  if (done)
    count_masked(before.is_masked(), registration.is_masked());
  return done;
}

int remove(uint64_t key, int epfd, int fd, epoll_event* event) {
  const int result = REAL(epoll_ctl)(epfd, EPOLL_CTL_DEL, fd, event);
  if (result == 0 && key)
    forget(key);
  return result;
}

bool no_registrations() { return table.empty(); }

void count_masked(bool was_masked, bool is_masked) {
  if (was_masked && !is_masked)
    unmasked.fetch_add(1, std::memory_order_release);
  masked.fetch_add(int{is_masked} - int{was_masked}, std::memory_order_release);
}

bool holds_masked(int epfd) {
  bool found = false;
  table.for_each([&](uint64_t, const CookieMap::Value& value, uint64_t) {
    const Registration registration = unpack<Registration>(value);
    found = found || (registration.is_masked() && registration.epfd == epfd);
  });
  return found;
}

uint64_t cookie_of(uint64_t key) {
  static constinit std::atomic<uint64_t> known{0};
  uint64_t secret = known.load(std::memory_order_relaxed);
  if (secret == 0) {
    std::memcpy(&secret, reinterpret_cast<const void*>(getauxval(AT_RANDOM)), sizeof secret);
    known.store(secret, std::memory_order_relaxed);
  }
  return key ^ secret;
}

std::optional<Registration> registration_for(int epfd, const epoll_event& event) {
  const uint64_t key = cookie_of(event.data.u64);
  const auto registration = find(key);
  // The set has been reached by another number of its own: by this one it is open for sure.
  if (registration && registration->is_masked() && registration->epfd != epfd) {
    Registration found = *registration;
    found.epfd = epfd;
    compare_and_store(key, *registration, found);
  }
  return registration;
}

} // namespace socksify::epoll
