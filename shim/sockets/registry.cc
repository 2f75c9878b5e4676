// SPDX-License-Identifier: MIT
#include "sockets/registry.h"
#include "base/fd.h"
#include "handshake/pending.h"
#include "kernel/cookie_map.h"
#include "kernel/open_fds.h"
#include <fcntl.h>

namespace socksify::sockets {
namespace {

constinit Table table;

// Nobody will ask how a CONNECT ends whose socket is closed.
void drop(Identity key, const Socket& socket) {
  if (socket.state == State::pending && pending::at(socket.slot).hold(key))
    pending::end(socket.slot);
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
  table.end_sweep(seen, [](Identity key, const Table::Value& value) { drop(key, unpack<Socket>(value)); });
}

// The open CONNECT that was used last among those that `fits(socket)` accepts.
template <typename Fits> std::optional<Socket> last_used(Fits fits) {
  KeepErrno keep;
  for (uint64_t before = UINT64_MAX;;) {
    std::optional<Socket> best;
    Identity best_key = 0;
    uint64_t best_use = 0;
    table.for_each([&](Identity key, const Table::Value& value, uint64_t use) {
      const Socket socket = unpack<Socket>(value);
      if (socket.state == State::connected && use > best_use && use < before && fits(socket)) {
        best = socket;
        best_key = key;
        best_use = use;
      }
    });
    if (!best || whereabouts(best_key, best->fd) >= 0)
      return best;
    table.erase(best_key);
    before = best_use;
  }
}

} // namespace

int whereabouts(Identity key, int hint) {
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
  Table::Value value;
  if (!key || !table.find(key, value))
    return std::nullopt;
  return unpack<Socket>(value);
}

std::optional<Socket> find_fd(int fd) { return find(table.empty() ? 0 : identity(fd)); }

std::optional<Socket> use(Identity key) {
  Table::Value value;
  if (!key || !table.use(key, value))
    return std::nullopt;
  return unpack<Socket>(value);
}

bool remember(Identity key, const Socket& socket) {
  // The kernel gives the lowest number that is free: so many descriptors are likely to be open.
  if (key && table.needs_sweep(key, static_cast<size_t>(socket.fd)))
    sweep();
  return key && table.store(key, pack(socket));
}

bool replace(Identity key, State from, const Socket& socket) {
  return table.update(key, [&](Table::Value& value) {
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

void for_each_pending(Visit visit) {
  table.for_each([&](Identity key, const Table::Value& value, uint64_t) {
    if (const Socket socket = unpack<Socket>(value); socket.state == State::pending)
      visit(key, socket);
  });
}

bool any_open(bool (*is_so)(const Socket& socket)) {
  bool any = false;
  table.for_each([&](Identity key, const Table::Value& value, uint64_t) {
    const Socket socket = unpack<Socket>(value);
    any = any || (is_so(socket) && whereabouts(key, socket.fd) >= 0);
  });
  return any;
}

void drop_closed() {
  bool any = false;
  table.for_each([&](Identity key, const Table::Value& value, uint64_t) {
    const Socket socket = unpack<Socket>(value);
    any = any || (socket.state == State::pending && identity(socket.fd) != key);
  });
  if (any)
    sweep();
}

void note_flags() {
  KeepErrno keep;
  table.for_each([&](Identity key, const Table::Value& value, uint64_t) {
    Socket socket = unpack<Socket>(value);
    if (socket.state != State::listening || identity(socket.fd) != key)
      return;
    socket.is_nonblocking = fcntl(socket.fd, F_GETFL) & O_NONBLOCK;
    replace(key, State::listening, socket);
  });
}

void mend_after_fork() { table.mend_after_fork(); }

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
