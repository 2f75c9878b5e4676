// SPDX-License-Identifier: MIT
#include "with_server/pipe.h"
#include "common/system_call.h"
#include <fcntl.h>
#include <unistd.h>

namespace with_server {

using socksify::Fd;

Pipe::Pipe() {
  int ends[2];
  socksify::check("pipe", ::pipe2(ends, O_CLOEXEC));
  reader = Fd(ends[0]);
  writer = Fd(ends[1]);
}

bool Lines::read_some(int fd, std::string& bytes) {
  bytes.resize(4096);
  const ssize_t length = ::read(fd, bytes.data(), bytes.size());
  bytes.resize(length > 0 ? static_cast<size_t>(length) : 0);
  return length > 0 || (length < 0 && errno == EINTR);
}

} // namespace with_server
