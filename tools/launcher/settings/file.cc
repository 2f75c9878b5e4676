// SPDX-License-Identifier: MIT
#include "launcher/settings/file.h"
#include "base/fd.h"
#include "launcher/error.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace socksify::launcher {
namespace {

constexpr size_t largest = 65536;

// /dev/null is as good as an empty file: a way to say that there are no settings.
const char* reason_against(const struct stat& status) {
  constexpr unsigned null_major = 1, null_minor = 3;
  if (S_ISREG(status.st_mode) || (S_ISCHR(status.st_mode) && status.st_rdev == makedev(null_major, null_minor)))
    return nullptr;
  return S_ISDIR(status.st_mode)    ? "it is a directory"
         : S_ISFIFO(status.st_mode) ? "it is a pipe"
                                    : "it is not a regular file";
}

[[noreturn]] void fail_to_read(const std::string& path, const char* reason) {
  fail({path, ": cannot be read: ", reason});
}

std::string read_from(const Fd& fd, const std::string& path) {
  std::string text;
  char chunk[4096];
  for (ssize_t length; (length = ::read(fd.get(), chunk, sizeof chunk)) != 0;
       text.append(chunk, static_cast<size_t>(length))) {
    if (length < 0)
      fail_to_read(path, std::strerror(errno));
    if (text.size() + static_cast<size_t>(length) > largest)
      fail_to_read(path, "it is too large");
  }
  return text;
}

} // namespace

std::optional<std::string> read_whole(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  // A link to nothing counts as absent, and so does a file in a directory that is closed to us.
  if (!fd && errno != ELOOP && (errno == ENOENT || ::access(path.c_str(), F_OK) != 0))
    return std::nullopt;
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0)
    fail_to_read(path, std::strerror(errno));
  if (const char* const reason = reason_against(status))
    fail_to_read(path, reason);
  return read_from(fd, path);
}

} // namespace socksify::launcher
