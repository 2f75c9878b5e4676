// SPDX-License-Identifier: MIT
#include "sockets/registry.h"
#include "base/fd.h"
#include "kernel/cookie_map.h"
#include "kernel/fork.h"
#include "kernel/open_fds.h"
#include <atomic>
#include <fcntl.h>

namespace socksify::sockets {
namespace {

constinit CookieMap table;

constinit std::atomic<Visit> on_closed{nullptr};

void drop(Identity key, const Socket& socket) {
  if (const Visit visit = socket.state == State::pending ? on_closed.load(std::memory_order_relaxed) : nullptr)
    visit(key, socket);
}

// Forgets the sockets that are closed.
void sweep() {
  KeepErrno keep;
  if (!table.begin_sweep())
    return;
  size_t seen = 0;
  for_each_open_fd([&](int fd) {
    ++seen;
    if (const Identity socket = identity(fd))
      table.keep(socket);
  });
  table.end_sweep(seen, [](Identity key, const CookieMap::Value& value) { drop(key, unpack<Socket>(value)); });
}

// The open CONNECT that was used last among those that `fits(socket)` accepts.
template <typename Fits> std::optional<Socket> last_used(Fits fits) {
  KeepErrno keep;
  for (uint64_t before = UINT64_MAX;;) {
    std::optional<Socket> best;
    Identity best_key = 0;
    uint64_t best_use = 0;
    table.for_each([&](Identity key, const CookieMap::Value& value, uint64_t use) {
      const Socket socket = unpack<Socket>(value);
      if (socket.state == State::connected && use > best_use && use < before && fits(socket)) {
        best = socket;
        best_key = key;
        best_use = use;
      }
    });
    if (!best || find_open_fd(best_key, best->fd) >= 0)
      return best;
    table.erase(best_key);
    before = best_use;
  }
}

// A child may accept the call of a BIND, and a connection has other flags than a listening socket.
void record_flags(forks::Observer&) {
  KeepErrno keep;
  table.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    Socket socket = unpack<Socket>(value);
    if (socket.state != State::listening || identity(socket.fd) != key)
      return;
    socket.is_nonblocking = fcntl(socket.fd, F_GETFL) & O_NONBLOCK;
    transition(key, State::listening, socket);
  });
}

constinit forks::Observer observer{record_flags, nullptr};

} // namespace

int find_open_fd(Identity key, int hint) {
  if (identity(hint) == key)
    return hint;
  int found = -1;
  for_each_open_fd([&](int fd) {
    if (found < 0 && identity(fd) == key)
      found = fd;
  });
  return found;
}

bool empty() { return table.empty(); }

std::optional<Socket> find(Identity key) {
  CookieMap::Value value;
  if (!key || !table.find(key, value))
    return std::nullopt;
  return unpack<Socket>(value);
}

std::optional<Socket> find_fd(int fd) { return find(table.empty() ? 0 : identity(fd)); }

std::optional<Socket> use(Identity key) {
  CookieMap::Value value;
  if (!key || !table.touch(key, value))
    return std::nullopt;
  return unpack<Socket>(value);
}

bool remember(Identity key, const Socket& socket) {
  forks::add_observer(observer);
  // The kernel gives the lowest number that is free: so many descriptors are likely to be open.
  if (key && table.needs_sweep(key, static_cast<size_t>(socket.fd)))
    sweep();
  return key && table.store(key, pack(socket));
}

bool transition(Identity key, State from, const Socket& socket) {
  return table.update(key, [&](CookieMap::Value& value) {
    const bool matches = unpack<Socket>(value).state == from;
    if (matches)
      value = pack(socket);
    return matches;
  });
}

void forget(Identity key) {
  if (key)
    table.erase(key);
}

void when_pending_closed(Visit visit) { on_closed.store(visit, std::memory_order_relaxed); }

void for_each_pending(Visit visit) {
  table.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    if (const Socket socket = unpack<Socket>(value); socket.state == State::pending)
      visit(key, socket);
  });
}

bool any_open(bool (*is_so)(const Socket& socket)) {
  bool any = false;
  table.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    const Socket socket = unpack<Socket>(value);
    any = any || (is_so(socket) && find_open_fd(key, socket.fd) >= 0);
  });
  return any;
}

void drop_closed() {
  bool any = false;
  table.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    const Socket socket = unpack<Socket>(value);
    any = any || (socket.state == State::pending && identity(socket.fd) != key);
  });
  if (any)
    sweep();
}

std::optional<Socket> primary_for(uint32_t ip) {
  if (table.empty())
    return std::nullopt;
  if (const auto same = last_used([&](const Socket& socket) { return socket.local.ip == ip; }))
    return same;
  return last_used([](const Socket&) { return true; });
}

bool is_reported(uint32_t ip) {
  return ip != 0 && !table.empty() && last_used([&](const Socket& socket) { return socket.local.ip == ip; });
}

} // namespace socksify::sockets
