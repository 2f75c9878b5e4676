// SPDX-License-Identifier: MIT
// A pipe between two processes, and the lines that come out of it.
#pragma once
#include "base/fd.h"
#include <string>

namespace with_server {

struct Pipe {
  socksify::Fd reader, writer;

  Pipe(); // throws Failure
};

class Lines {
public:
  // Reads what is there and calls on_line for each line that is complete and not empty. False at the end.
  template <typename OnLine> bool receive(int fd, OnLine on_line) {
    std::string bytes;
    if (!read_some(fd, bytes))
      return false;
    for (const char c : bytes) {
      if (c != '\n' && c != '\r')
        m_line += c;
      else if (!m_line.empty())
        on_line(std::exchange(m_line, {}));
    }
    return true;
  }

private:
  static bool read_some(int fd, std::string& bytes);

  std::string m_line; // the incomplete one
};

} // namespace with_server
