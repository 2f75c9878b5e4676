// SPDX-License-Identifier: MIT
#pragma once
#include "base/executable/program.h"

namespace socksify::elf_file {

// Completes the description of a program that is an ELF file; leaves any other alone. `beginning` is the file's.
void read(int fd, std::string_view beginning, Program& program);

} // namespace socksify::elf_file
