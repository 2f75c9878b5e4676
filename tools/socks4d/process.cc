// SPDX-License-Identifier: MIT
#include "socks4d/process.h"
#include "socks4d/base.h"
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

namespace socks4d {

// Read-only, so that printing a message to nobody still fails.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0)
      check("/dev/null", ::open("/dev/null", O_RDONLY)); // gets the lowest free number, which is fd
}

// The soft limit protects programs that use select(2). Unchecked: the server also works with fewer descriptors.
void raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void become_user(const std::string& name) {
  errno = 0;
  const passwd* user = ::getpwnam(name.c_str());
  if (!user)
    throw Failure(fmt::format("--user {}: no such user", name), errno ? errno : ENOENT);
  const bool is_done =
      ::initgroups(user->pw_name, user->pw_gid) == 0 && ::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0;
  if (!is_done)
    throw Failure(fmt::format("--user {}: cannot switch to that user", name));
}

unsigned available_cores() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

} // namespace socks4d
