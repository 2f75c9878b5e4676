// SPDX-License-Identifier: MIT
#include "sockets/epoll/registrations.h"
#include "kernel/cookie_map.h"
#include "kernel/real.h"
#include "sockets/sweep.h"
#include <cstring>
#include <sys/auxv.h>

namespace socksify::epoll {
namespace {

constinit CookieMap table;
// In place of the set's number: the place is free, or reserved until the kernel accepts the registration.
constexpr int no_set = -1, reserved_set = -2;

void forget_closed() {
  const auto keep = [](Identity socket) {
    for (int number = 0; number < most_sets; ++number)
      table.keep(key_of(socket, number));
  };
  sockets::sweep(table, keep, [](uint64_t, const CookieMap::Value& value) {
    count_masked(unpack<Registration>(value).is_masked(), false);
  });
}

// Stores into a place that exists. False if it is not free.
bool store_if_free(uint64_t key, const Registration& registration) {
  return table.update(key, [&](CookieMap::Value& value) {
    const bool is_free = unpack<Registration>(value).epfd == no_set;
    if (is_free)
      value = pack(registration);
    return is_free;
  });
}

} // namespace

uint64_t key_of(Identity socket, int number) { return socket * most_sets + static_cast<uint64_t>(number); }

std::optional<Registration> registration_at(uint64_t key) {
  CookieMap::Value value;
  if (!table.find(key, value))
    return std::nullopt;
  return unpack<Registration>(value);
}

uint64_t key_for(Identity socket, int epfd, int fd) {
  uint64_t found = 0;
  for_each_of(socket, [&](uint64_t key, const Registration& registration) {
    if (registration.epfd == epfd && registration.fd == fd)
      found = key;
  });
  return found;
}

uint64_t reserve(Identity socket, int fd) {
  const Registration reserved{.epfd = reserved_set};
  for (int number = 0; number < most_sets; ++number) {
    const uint64_t key = key_of(socket, number);
    if (registration_at(key)) {
      if (store_if_free(key, reserved))
        return key;
      continue;
    }
    if (table.needs_sweep(key, static_cast<size_t>(fd)))
      forget_closed();
    if (table.insert(key, pack(reserved)))
      return key;
    if (!registration_at(key))
      return 0; // no memory; for_each_of() would not reach a later number
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
    unfinished.times_unmasked.fetch_add(1, std::memory_order_release);
  unfinished.masked.fetch_add(int{is_masked} - int{was_masked}, std::memory_order_release);
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
  const auto registration = registration_at(key);
  // The set was waited for by another of its numbers, which is certainly open.
  if (registration && registration->is_masked() && registration->epfd != epfd) {
    Registration renumbered = *registration;
    renumbered.epfd = epfd;
    compare_and_store(key, *registration, renumbered);
  }
  return registration;
}

} // namespace socksify::epoll
