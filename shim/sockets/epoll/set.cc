// SPDX-License-Identifier: MIT
#include "sockets/epoll/set.h"
#include "base/fd.h"
#include "base/text.h"
#include "kernel/real.h"
#include "sockets/epoll/registrations.h"
#include "sockets/open_fds.h"
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace socksify::epoll {
namespace {

struct Member {
  int fd = -1;
  unsigned events = 0;
  uint64_t data = 0;
};

uint64_t number_after(const char* line, const char* name) {
  const char* const found = std::strstr(line, name);
  return found ? std::strtoull(found + std::strlen(name), nullptr, 16) : 0;
}

// The kernel describes each member of a set in a line: "tfd: 5 events: 4000001d data: ...".
Member parse_member(const char* line) {
  if (std::strncmp(line, "tfd:", 4) != 0)
    return {};
  return {std::atoi(line + 4), static_cast<unsigned>(number_after(line, "events:")), number_after(line, "data:")};
}

// True if matches(member) is true for any member of the set.
template <typename Matches> bool any_member(int epfd, Matches matches) {
  Text<40> path;
  path.append("/proc/self/fdinfo/{}", epfd);
  const Fd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  char line[256];
  size_t length = 0;
  for (char c; REAL(read)(file.get(), &c, 1) == 1;) {
    if (length + 1 < sizeof line)
      line[length++] = c;
    if (c != '\n')
      continue;
    line[length] = '\0';
    if (matches(parse_member(line)))
      return true;
    length = 0;
  }
  return false;
}

void adopt(sockets::Identity socket, int epfd, const Member& member) {
  if (member.fd < 0 || sockets::identity(member.fd) != socket || key_for(socket, epfd, member.fd))
    return;
  if (const uint64_t key = reserve(socket, member.fd))
    store(key, {.epfd = epfd, .fd = member.fd, .data = member.data, .events = member.events, .socket = socket});
}

} // namespace

bool is_set(int fd) {
  KeepErrno keep;
  constexpr std::string_view name = "anon_inode:[eventpoll]";
  Text<40> path;
  path.append("/proc/self/fd/{}", fd);
  char target[name.size() + 1];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length >= 0 && std::string_view{target, static_cast<size_t>(length)} == name;
}

// A spent registration has no event left to wait for.
bool is_spent(int epfd, int fd, uint32_t events) {
  constexpr unsigned modes = EPOLLONESHOT | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE;
  return (events & EPOLLONESHOT) &&
         any_member(epfd, [fd](const Member& member) { return member.fd == fd && !(member.events & ~modes); });
}

bool is_member(int epfd, int fd, uint64_t data) {
  return any_member(epfd, [=](const Member& member) { return member.fd == fd && member.data == data; });
}

int find_set_with(uint64_t data) {
  int found = -1;
  for_each_open_fd([&](int fd) {
    if (found < 0 && is_set(fd) && any_member(fd, [data](const Member& member) { return member.data == data; }))
      found = fd;
  });
  return found;
}

void adopt_registrations(sockets::Identity socket) {
  KeepErrno keep;
  for_each_open_fd([&](int epfd) {
    if (is_set(epfd))
      any_member(epfd, [&](const Member& member) {
        adopt(socket, epfd, member);
        return false;
      });
  });
}

} // namespace socksify::epoll
