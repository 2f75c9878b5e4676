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

using Identity = uint64_t; // 0: not a socket

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

Identity identity(int fd) {
  KeepErrno keep;
  Identity cookie = 0;
  socklen_t length = sizeof cookie;
  if (REAL(getsockopt)(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0)
    return 0;
  return cookie;
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

std::optional<Socket> look_up(Identity key) {
  Table::Value value;
  if (!key || !table.find(key, value))
    return std::nullopt;
  return unpack(value);
}

bool is_open(Identity wanted, int hint) {
  if (identity(hint) == wanted)
    return true;
  bool found = false;
  for_each_open_fd([&](int fd) { found = found || identity(fd) == wanted; });
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
    if (!best || is_open(best_key, best->fd))
      return best;
    table.erase(best_key);
    before = best_use;
  }
}

} // namespace

bool empty() {
  return table.empty();
}

std::optional<Socket> find(int fd) {
  return look_up(table.empty() ? 0 : identity(fd));
}

std::optional<Socket> use(int fd) {
  const Identity key = table.empty() ? 0 : identity(fd);
  table.touch(key);
  return look_up(key);
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

std::optional<int> take_error(int fd) {
  const auto socket = find(fd);
  if (!socket || socket->state != State::failed)
    return std::nullopt;
  forget(fd);
  return socket->error;
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
