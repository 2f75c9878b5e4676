// SPDX-License-Identifier: MIT
#include "sockets/epoll/registrations.h"
#include "base/fd.h"
#include "kernel/cookie_map.h"
#include "kernel/fork.h"
#include "kernel/real.h"
#include "sockets/sweep.h"
#include <cstring>
#include <sys/auxv.h>

namespace socksify::epoll {
namespace {

constinit struct {
  CookieMap table;
  std::atomic<uint64_t> greatest_key{0}; // no registration of this process has a greater one
} registrations;

// In place of the set's number: the place is free, or reserved until the kernel accepts the registration.
constexpr int no_set = -1, reserved_set = -2;

void record_key(uint64_t key) {
  uint64_t known = registrations.greatest_key.load(std::memory_order_relaxed);
  while (known < key && !registrations.greatest_key.compare_exchange_weak(known, key, std::memory_order_relaxed))
    ;
}

// The kernel numbers sockets in the order in which they are asked for, except that each CPU takes 4096 numbers at once.
constexpr uint64_t most_out_of_order = uint64_t{4096} * 1024;

Identity newest_identity() {
  KeepErrno keep;
  const Fd fresh{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return sockets::identity(fresh.get());
}

void forget_closed() {
  const auto keep = [](Identity socket) {
    for (int number = 0; number < most_sets; ++number)
      registrations.table.keep(key_of(socket, number));
  };
  sockets::sweep(registrations.table, keep, [](uint64_t, const CookieMap::Value& value) {
    count_masked(unpack<Registration>(value).is_masked(), false);
  });
}

// Stores into a place that exists. False if it is not free.
bool store_if_free(uint64_t key, const Registration& registration) {
  return registrations.table.update(key, [&](CookieMap::Value& value) {
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
  if (!registrations.table.find(key, value))
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
  record_key(key_of(socket, most_sets - 1));
  const Registration reserved{.epfd = reserved_set};
  for (int number = 0; number < most_sets; ++number) {
    const uint64_t key = key_of(socket, number);
    if (registration_at(key)) {
      if (store_if_free(key, reserved))
        return key;
      continue;
    }
    if (registrations.table.needs_sweep(key, static_cast<size_t>(fd)))
      forget_closed();
    if (registrations.table.insert(key, pack(reserved)))
      return key;
    if (!registration_at(key))
      return 0; // no memory; for_each_of() would not reach a later number
  }
  return 0;
}

void store(uint64_t key, const Registration& registration) {
  bool was_masked = false;
  registrations.table.update(key, [&](CookieMap::Value& value) {
    was_masked = unpack<Registration>(value).is_masked();
    value = pack(registration);
    return true;
  });
  count_masked(was_masked, registration.is_masked());
}

bool compare_and_store(uint64_t key, const Registration& before, const Registration& registration) {
  const bool done = registrations.table.update(key, [&](CookieMap::Value& value) {
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

bool no_registrations() { return registrations.table.empty(); }

void count_masked(bool was_masked, bool is_masked) {
  if (was_masked && !is_masked)
    unfinished.times_unmasked.fetch_add(1, std::memory_order_release);
  unfinished.masked.fetch_add(int{is_masked} - int{was_masked}, std::memory_order_release);
}

bool has_no_cookies() { return registrations.greatest_key.load(std::memory_order_relaxed) == 0 && forks::count() == 0; }

uint64_t cookie_of(uint64_t key) {
  static constinit std::atomic<uint64_t> known{0};
  uint64_t secret = known.load(std::memory_order_relaxed);
  if (secret == 0) {
    std::memcpy(&secret, reinterpret_cast<const void*>(getauxval(AT_RANDOM)), sizeof secret);
    known.store(secret, std::memory_order_relaxed);
  }
  return key ^ secret;
}

bool is_cookie(uint64_t data) {
  const uint64_t key = cookie_of(data);
  if (key <= registrations.greatest_key.load(std::memory_order_relaxed))
    return true;
  // Keys of other processes. No other process knows this one's cookies if none of them was forked.
  return forks::count() > 0 && key < uint64_t{1} << 48 && key / most_sets <= newest_identity() + most_out_of_order;
}

} // namespace socksify::epoll
