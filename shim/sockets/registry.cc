// SPDX-License-Identifier: MIT
#include "sockets/registry.h"
#include "base/fd.h"
#include "kernel/cookie_map.h"
#include "kernel/fork.h"
#include "sockets/sweep.h"
#include <atomic>
#include <fcntl.h>
#include <sys/stat.h>

namespace socksify::sockets {
namespace {

void record_flags(forks::Observer&);

// Everything that is remembered of sockets.
struct Registry {
  CookieMap map;
  std::atomic<Visit> on_pending_closed{nullptr};
  forks::Observer observer{record_flags, nullptr};
};
constinit Registry registry;

// After a fork, accept() in another process may take the call and change the flags of the shared socket, because a
// connection has other flags than a listening socket. The dummy listener of this process needs the old ones.
void record_flags(forks::Observer&) {
  KeepErrno keep;
  registry.map.for_each([](Identity key, const CookieMap::Value& value, uint64_t) {
    Socket socket = unpack<Socket>(value);
    if (socket.state() != State::listening || identity(socket.fd) != key)
      return;
    socket.as<AwaitingCall>().is_nonblocking = fcntl(socket.fd, F_GETFL) & O_NONBLOCK;
    transition(key, State::listening, socket);
  });
}

void forget_closed() {
  const auto keep = [](Identity key) { registry.map.keep(key); };
  sweep(registry.map, keep, [](Identity key, const CookieMap::Value& value) {
    const Socket socket = unpack<Socket>(value);
    if (const Visit visit = socket.is<Pending>() ? registry.on_pending_closed.load(std::memory_order_relaxed) : nullptr)
      visit(key, socket);
  });
}

struct Used {
  Identity key = 0;
  uint64_t use = 0; // greater: later
  Socket socket;
};

// The CONNECT used last, of those used before `before` for which fits(connected) is true.
template <typename Fits> Used last_used_before(uint64_t before, Fits fits) {
  Used best;
  registry.map.for_each([&](Identity key, const CookieMap::Value& value, uint64_t use) {
    const Socket socket = unpack<Socket>(value);
    if (socket.is<Connected>() && use > best.use && use < before && fits(socket.as<Connected>()))
      best = {key, use, socket};
  });
  return best;
}

// The same, of those that are open.
template <typename Fits> std::optional<Socket> last_used(Fits fits) {
  KeepErrno keep;
  for (uint64_t before = UINT64_MAX;;) {
    const Used best = last_used_before(before, fits);
    if (!best.key)
      return std::nullopt;
    if (find_open_fd(best.key, best.socket.fd) >= 0)
      return best.socket;
    registry.map.erase(best.key);
    before = best.use;
  }
}

std::optional<Socket> last_used_with(uint32_t ip) {
  return last_used([ip](const Connected& connected) { return connected.local.ip == ip; });
}

} // namespace

Identity identity_by_inode(int fd) {
  const KeepErrno keep;
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

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

bool empty() { return registry.map.empty(); }

std::optional<Socket> lookup(Identity key) {
  CookieMap::Value value;
  if (!key || !registry.map.find(key, value))
    return std::nullopt;
  return unpack<Socket>(value);
}

std::optional<Socket> lookup_fd(int fd) { return lookup(empty() ? 0 : identity(fd)); }

std::optional<Socket> lookup_used(Identity key) {
  CookieMap::Value value;
  if (!key || !registry.map.touch(key, value))
    return std::nullopt;
  return unpack<Socket>(value);
}

bool remember(Identity key, const Socket& socket) {
  forks::add_observer(registry.observer);
  // The kernel assigns the lowest free number, so about as many descriptors are open.
  if (key && registry.map.needs_sweep(key, static_cast<size_t>(socket.fd)))
    forget_closed();
  return key && registry.map.store(key, pack(socket));
}

bool transition(Identity key, State from, const Socket& socket) {
  return registry.map.update(key, [&](CookieMap::Value& value) {
    const bool matches = unpack<Socket>(value).state() == from;
    if (matches)
      value = pack(socket);
    return matches;
  });
}

void forget(Identity key) {
  if (key)
    registry.map.erase(key);
}

void when_pending_closed(Visit visit) { registry.on_pending_closed.store(visit, std::memory_order_relaxed); }

void for_each_pending(Visit visit) {
  registry.map.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    if (const Socket socket = unpack<Socket>(value); socket.is<Pending>())
      visit(key, socket);
  });
}

bool any_open(bool (*matches)(const Socket& socket)) {
  bool any = false;
  registry.map.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    const Socket socket = unpack<Socket>(value);
    any = any || (matches(socket) && find_open_fd(key, socket.fd) >= 0);
  });
  return any;
}

void forget_closed_pending() {
  bool any = false;
  registry.map.for_each([&](Identity key, const CookieMap::Value& value, uint64_t) {
    const Socket socket = unpack<Socket>(value);
    any = any || (socket.is<Pending>() && identity(socket.fd) != key);
  });
  if (any)
    forget_closed();
}

std::optional<Socket> primary_for(uint32_t ip) {
  if (empty())
    return std::nullopt;
  if (const auto same = last_used_with(ip))
    return same;
  return last_used([](const Connected&) { return true; });
}

bool is_reported(uint32_t ip) { return ip != 0 && !empty() && last_used_with(ip); }

} // namespace socksify::sockets
