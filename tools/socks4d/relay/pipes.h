// SPDX-License-Identifier: MIT
// Pipes for splice(2). A relay borrows one only while it has bytes in flight; an idle relay has none.
#pragma once
#include "socks4d/base.h"
#include <vector>

namespace socks4d {

struct SplicePipe {
  Fd read_end;
  Fd write_end;

  explicit operator bool() const { return bool(read_end); }
};

class PipePool {
public:
  static constexpr size_t pipe_size = 1 << 18; // bytes

  // Returns no pipe if the process or the system is out of descriptors.
  SplicePipe borrow();
  // REQUIRES: the pipe is empty. Bytes left in it would end up in another relay.
  void give_back(SplicePipe pipe);
  // Closes all unused pipes but one: descriptors are short, or there is no relay left.
  void shrink();
  // Makes sure that borrow() has a pipe. False if that is not possible.
  bool reserve();

private:
  static SplicePipe make();

  std::vector<SplicePipe> m_unused;
};

} // namespace socks4d
