// SPDX-License-Identifier: MIT
// Pipes for splice(2), lent out while bytes are in flight: a relay that is idle holds none.
#pragma once
#include "base/fd.h"
#include <vector>

namespace socksify {

struct Pipe {
  Fd out; // the end to read from
  Fd in;

  explicit operator bool() const { return bool(out); }
};

class PipePool {
public:
  static constexpr size_t pipe_size = 1 << 18; // bytes

  // No pipe if the process or the system has no descriptor left.
  Pipe borrow();
  // REQUIRES: the pipe is empty. What is left in it would come out in somebody else's relay.
  void give_back(Pipe pipe);
  // Closes the pipes that nobody uses, but one: when descriptors are short, or nobody is left who would.
  void release();
  // True if a pipe could be borrowed now.
  bool reserve();

private:
  static Pipe make();

  std::vector<Pipe> m_free;
};

} // namespace socksify
