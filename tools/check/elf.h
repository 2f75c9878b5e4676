// SPDX-License-Identifier: MIT
// What the headers of a program's file say.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace socksify {

struct Elf {
  int bits = 0; // 32 or 64
  uint16_t machine = 0;
  std::string interpreter; // the dynamic linker; empty: statically linked
  bool is_go = false;
};

// Nothing if it is no ELF file of this system's byte order.
std::optional<Elf> read_elf(int fd);

} // namespace socksify
