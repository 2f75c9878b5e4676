// SPDX-License-Identifier: MIT
#include "sockets.h"
#include "fd.h"
#include "real.h"
#include "table.h"
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

namespace socksify::sockets {
namespace {

constinit Table table;

static_assert(sizeof(Socket) <= sizeof(Table::Value));

Table::Value pack(const Socket& socket) {
  Table::Value value{};
  std::memcpy(value.data(), &socket, sizeof socket);
  return value;
}

Socket unpack(const Table::Value& value) {
  Socket socket;
  std::memcpy(static_cast<void*>(&socket), value.data(), sizeof socket);
  return socket;
}

// The entries of a directory of the kernel's that are numbers, without the heap that opendir() needs.
template <typename Visit> bool for_each_number_in(const char* path, Visit visit) {
  const Fd directory{open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory)
    return false;
  alignas(dirent64) char room[2048];
  long got;
  while ((got = syscall(SYS_getdents64, directory.get(), room, sizeof room)) > 0)
    for (long at = 0; at < got;) {
      dirent64 entry_header;
      std::memcpy(&entry_header, room + at, offsetof(dirent64, d_name));
      const char* name = room + at + offsetof(dirent64, d_name);
      if (*name != '.')
        visit(atoi(name));
      at += entry_header.d_reclen;
    }
  return got == 0;
}

// Calls visit(fd) for every descriptor that may be open.
template <typename Visit> void for_each_open_fd(Visit visit) {
  if (for_each_number_in("/proc/self/fd", visit))
    return;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t most = 65536; // without /proc there is no better way than to try
  for (int fd = 0; fd < static_cast<int>(limit.rlim_cur < most ? limit.rlim_cur : most); ++fd)
    visit(fd);
}

// Forgets the sockets that are closed.
void sweep() {
  KeepErrno keep;
  table.begin_sweep();
  size_t sockets_seen = 0;
  for_each_open_fd([&](int fd) {
    ++sockets_seen;
    if (const Identity socket = identity(fd))
      table.keep(socket);
  });
  table.end_sweep(sockets_seen);
}

// Where the socket is open in this process, or -1.
int whereabouts(Identity wanted, int hint) {
  if (identity(hint) == wanted)
    return hint;
  int found = -1;
  for_each_open_fd([&](int fd) {
    if (found < 0 && identity(fd) == wanted)
      found = fd;
  });
  return found;
}

// The open CONNECT that was used last among those that `fits(socket)` accepts.
template <typename Fits> std::optional<Socket> last_used(Fits fits) {
  KeepErrno keep;
  uint64_t before = UINT64_MAX;
  for (;;) {
    std::optional<Socket> best;
    Identity best_key = 0;
    uint64_t best_use = 0;
    table.for_each([&](Identity key, const Table::Value& value, uint64_t use) {
      const Socket socket = unpack(value);
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

Identity identity(int fd) {
  KeepErrno keep;
  Identity cookie = 0;
  socklen_t length = sizeof cookie;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
    return 0;
  return cookie;
}

bool empty() {
  return table.empty();
}

std::optional<Socket> find_by(Identity key) {
  Table::Value value;
  if (!key || !table.find(key, value))
    return std::nullopt;
  return unpack(value);
}

std::optional<Socket> find(int fd) {
  return find_by(table.empty() ? 0 : identity(fd));
}

std::optional<Socket> use(int fd) {
  const Identity key = table.empty() ? 0 : identity(fd);
  table.touch(key);
  return find_by(key);
}

bool remember(int fd, Socket socket) {
  const Identity key = identity(fd);
  socket.fd = fd;
  if (key && table.is_crowded(key))
    sweep();
  return key && table.store(key, pack(socket));
}

void forget(int fd) {
  if (!table.empty())
    table.erase(identity(fd));
}

bool advance(int fd, State from, State to) {
  return table.update(identity(fd), [&](Table::Value& value) {
    Socket socket = unpack(value);
    if (socket.state != from)
      return false;
    socket.state = to;
    value = pack(socket);
    return true;
  });
}

bool replace(Identity key, State from, Socket socket) {
  return table.update(key, [&](Table::Value& value) {
    const bool matches = unpack(value).state == from;
    if (matches)
      value = pack(socket);
    return matches;
  });
}

void for_each_pending(Visit visit) {
  table.for_each([&](Identity key, const Table::Value& value, uint64_t) {
    if (const Socket socket = unpack(value); socket.state == State::pending)
      visit(key, socket);
  });
}

void drop_closed(Visit drop) {
  KeepErrno keep;
  table.for_each([&](Identity key, const Table::Value& value, uint64_t) {
    Socket socket = unpack(value);
    if (socket.state != State::pending)
      return;
    socket.fd = whereabouts(key, socket.fd);
    if (socket.fd >= 0)
      replace(key, State::pending, socket);
    else if (table.erase(key))
      drop(key, socket);
  });
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
