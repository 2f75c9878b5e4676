// SPDX-License-Identifier: MIT
#include "sockets/epoll/oneshot.h"
#include "base/fd.h"
#include "base/format.h"
#include "kernel/real.h"
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/epoll.h>

namespace socksify::epoll {
namespace {

// The kernel describes each member of a set in a line: "tfd: 5 events: 4000001d data: ...". A spent registration has no
// event left to wait for.
bool says_spent(const char* line, int fd) {
  const char* found = std::strstr(line, "events:");
  if (std::strncmp(line, "tfd:", 4) != 0 || !found)
    return false;
  const auto events = static_cast<unsigned>(std::strtoul(found + 7, nullptr, 16));
  return std::atoi(line + 4) == fd && !(events & ~(EPOLLONESHOT | EPOLLET | EPOLLWAKEUP | EPOLLEXCLUSIVE));
}

} // namespace

bool is_spent(int epfd, int fd, uint32_t events) {
  if (!(events & EPOLLONESHOT))
    return false;
  Text<40> path;
  path.append(FMT_COMPILE("/proc/self/fdinfo/{}"), epfd);
  const Fd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  char line[256];
  size_t length = 0;
  for (char c; REAL(read)(file.get(), &c, 1) == 1;) {
    if (length + 1 < sizeof line)
      line[length++] = c;
    if (c != '\n')
      continue;
    line[length] = '\0';
    if (says_spent(line, fd))
      return true;
    length = 0;
  }
  return false;
}

} // namespace socksify::epoll
