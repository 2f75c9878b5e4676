// SPDX-License-Identifier: MIT
#pragma once
#include "base/executable/file_window.h"
#include "base/executable/program.h"

namespace socksify::elf_file {

// Completes the description of a program that is an ELF file; leaves any other alone.
void read(FileWindow& file, Program& program);

} // namespace socksify::elf_file
