// SPDX-License-Identifier: MIT
#include "handshake/unseen_waits.h"
#include "base/executable/machine_code.h"
#include "config/log.h"
#include <atomic>
#include <elf.h>
#include <link.h>
#include <span>
#include <sys/auxv.h>

namespace socksify {
namespace {

using Header = ElfW(Phdr);

std::span<const Header> program_headers() {
  return {reinterpret_cast<const Header*>(getauxval(AT_PHDR)), getauxval(AT_PHNUM)};
}

// How far from its addresses in the file the program is loaded.
uintptr_t displacement(std::span<const Header> headers) {
  for (const Header& header : headers)
    if (header.p_type == PT_PHDR)
      return reinterpret_cast<uintptr_t>(headers.data()) - header.p_vaddr;
  return 0;
}

bool is_readable_code(const Header& header) {
  return header.p_type == PT_LOAD && (header.p_flags & PF_X) && (header.p_flags & PF_R);
}

// The program's own code: its libraries call libc.
bool look() {
  const auto headers = program_headers();
  const uintptr_t offset = displacement(headers);
  for (const Header& header : headers) {
    const auto* start = reinterpret_cast<const char*>(offset + header.p_vaddr);
    if (is_readable_code(header) && machine_code::waits_by_epoll({start, header.p_filesz}))
      return true;
  }
  return false;
}

enum Answer : int { unknown, no, yes };
std::atomic<Answer> answer{unknown};

} // namespace

bool has_unseen_waits() {
  if (answer.load(std::memory_order_relaxed) == unknown) {
    answer.store(look() ? yes : no, std::memory_order_relaxed);
    if (answer.load(std::memory_order_relaxed) == yes)
      log(2, "this program waits by system calls of its own: each connect() waits for the server");
  }
  return answer.load(std::memory_order_relaxed) == yes;
}

} // namespace socksify
