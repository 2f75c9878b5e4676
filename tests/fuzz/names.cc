// SPDX-License-Identifier: MIT
// The file of names that processes share, with any content: a number has a valid name or none, and a stored name is
// found again.
#include "fuzz.h"
#include "names/name_map.h"
#include <algorithm>
#include <cstring>

using namespace socksify;

namespace {

constexpr uint32_t capacity = 8;

struct alignas(SharedStore::Memory) Room {
  SharedStore::Memory memory;
  char bytes[8192];
} room;

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  HOLDS(NameMap::size(capacity) <= sizeof room.bytes);
  std::memset(room.bytes, 0, sizeof room.bytes);
  std::memcpy(room.memory.bytes(), data, std::min(size, NameMap::size(capacity)));
  SharedStore store = SharedStore::memory(&room.memory, NameMap::size(capacity));
  HOLDS(store.lock(1000));
  NameMap names(store, capacity);
  for (uint32_t number = 0; number < capacity + 2; ++number)
    if (const auto name = names.name_of(number))
      HOLDS(number < capacity && name->view().size() < 256);
  for (uint32_t number = 0; number < capacity; ++number)
    names.touch(number);
  for (const char* name : {"www.example.org", "ftp.example.org"}) {
    const auto number = names.number_of(name);
    HOLDS(number && *number < capacity);
    const auto found = names.name_of(*number);
    HOLDS(found && found->view() == name);
  }
  return 0;
}
