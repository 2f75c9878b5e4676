// SPDX-License-Identifier: MIT
#include "handshake/unseen_waits.h"
#include "base/executable/machine_code.h"
#include "config/log.h"
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

} // namespace

constinit std::atomic<Waits> waits_of_program{Waits::unknown};

bool has_unseen_waits() {
  if (waits_of_program.load(std::memory_order_relaxed) == Waits::unknown) {
    const bool is_unseen = look();
    waits_of_program.store(is_unseen ? Waits::unseen : Waits::seen, std::memory_order_relaxed);
    if (is_unseen)
      log(2, "this program waits by system calls of its own: each connect() waits for the server");
  }
  return waits_of_program.load(std::memory_order_relaxed) == Waits::unseen;
}

} // namespace socksify
