// SPDX-License-Identifier: MIT
#include "launcher/memory.h"
#include "launcher/kernel.h"
#include "launcher/say.h"
#include <cstring>

namespace socksify::launcher {
namespace {

constexpr size_t alignment = alignof(void*);
// Enough for what is usual; pages that are not touched cost nothing.
alignas(alignment) constinit char room[16384];
constinit size_t used = 0;

} // namespace

void* allocate(size_t size) {
  size = (size + alignment - 1) / alignment * alignment;
  if (size <= sizeof room - used) {
    used += size;
    return room + used - size;
  }
  const long memory = kernel::map(size);
  if (memory < 0 && memory > -4096)
    out_of_memory();
  return reinterpret_cast<void*>(memory);
}

char* join(Parts parts) {
  size_t size = 1;
  for (const auto& part : parts)
    size += part.size();
  const auto text = static_cast<char*>(allocate(size));
  char* end = text;
  for (const auto& part : parts)
    if (!part.empty())
      end = static_cast<char*>(std::memcpy(end, part.data(), part.size())) + part.size();
  *end = '\0';
  return text;
}

} // namespace socksify::launcher
