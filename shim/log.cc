// SPDX-License-Identifier: MIT
#include "log.h"
#include "real.h"
#include <fcntl.h>
#include <sys/uio.h>

namespace socksify {

void write_line(std::string_view line) {
  KeepErrno keep;
  Fd file;
  if (const char* path = config().log_file.c_str(); *path)
    file = Fd{open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666)};
  char newline = '\n';
  const iovec parts[] = {{const_cast<char*>(line.data()), line.size()}, {&newline, 1}};
  // A log that cannot be written is no reason to disturb the program.
  [[maybe_unused]] const auto written = REAL(writev)(file ? file.get() : STDERR_FILENO, parts, 2);
}

} // namespace socksify
