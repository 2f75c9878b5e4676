// SPDX-License-Identifier: MIT
#include "launcher/files.h"
#include "launcher/kernel.h"
#include "launcher/memory.h"
#include <cerrno>
#include <fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify::launcher::files {
namespace {

bool is_accessible(const char* path, int mode) { return kernel::call(__NR_faccessat, AT_FDCWD, path, mode) == 0; }

// /dev/null is as good as an empty file: a way to say that there are no settings.
const char* reason_not_to_read(const struct statx& status) {
  constexpr unsigned null_major = 1, null_minor = 3;
  switch (status.stx_mode & S_IFMT) {
  case S_IFREG:
    return nullptr;
  case S_IFDIR:
    return "it is a directory";
  case S_IFIFO:
    return "it is a pipe";
  case S_IFCHR:
    if (status.stx_rdev_major == null_major && status.stx_rdev_minor == null_minor)
      return nullptr;
  }
  return "it is not a regular file";
}

// A link to nothing is as if it were not there, and so is what is in a directory that is closed to us.
Content without_text(const char* path, long error) {
  return {nullptr, 0, error == -ELOOP || (error != -ENOENT && exists(path)) ? reason_for(error) : nullptr};
}

Content read_from(long fd, size_t most) {
  const auto text = static_cast<char*>(allocate(most + 2));
  size_t size = 0;
  for (;;) {
    const long got = kernel::call(__NR_read, fd, text + size, most + 1 - size);
    if (got < 0 && got != -EINTR)
      return {nullptr, 0, reason_for(got)};
    if (got == 0)
      break;
    size += got > 0 ? static_cast<size_t>(got) : 0;
    if (size > most)
      return {nullptr, 0, "it is too large"};
  }
  return {text, size, nullptr};
}

} // namespace

const char* reason_for(long error) {
  return error == -EACCES || error == -EPERM ? "permission denied"
         : error == -ELOOP                   ? "too many symbolic links, one after the other"
         : error == -ENXIO                   ? "it is a socket, or a device that is not there"
         : error == -ENAMETOOLONG            ? "the name is too long"
                                             : "the system reports an error";
}

bool exists(const char* path) { return is_accessible(path, F_OK); }
bool is_readable(const char* path) { return is_accessible(path, R_OK); }
bool is_executable(const char* path) { return is_accessible(path, X_OK); }

bool can_append(const char* path) {
  // A pipe without a reader would keep us waiting.
  const long fd =
      kernel::call(__NR_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  kernel::call(__NR_close, fd);
  return fd >= 0;
}

const char* target_of(const char* link) {
  char target[PATH_MAX];
  const long length = kernel::call(__NR_readlinkat, AT_FDCWD, link, target, sizeof target);
  return length > 0 ? join({{target, static_cast<size_t>(length)}}) : nullptr;
}

Content read_whole(const char* path, size_t most) {
  const long fd = kernel::call(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return without_text(path, fd);
  struct statx status;
  const long error = kernel::call(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &status);
  const char* const reason = error < 0 ? reason_for(error) : reason_not_to_read(status);
  const Content content = reason ? Content{nullptr, 0, reason} : read_from(fd, most);
  kernel::call(__NR_close, fd);
  return content;
}

} // namespace socksify::launcher::files
