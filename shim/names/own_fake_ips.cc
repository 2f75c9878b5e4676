// SPDX-License-Identifier: MIT
#include "names/own_fake_ips.h"
#include "base/fake_ip.h"
#include "kernel/fork.h"
#include "kernel/mapping.h"
#include "kernel/sequence_lock.h"
#include <cstring>

namespace socksify::own_fake_ips {
namespace {

constexpr uint32_t chunk_size = 512; // entries: addresses are given in sequence, so most programs need one chunk
constexpr uint32_t chunk_count = fake_ip::count / chunk_size;

// The length is written last: until then there is no name, even in a child of a fork() in the middle.
struct Entry {
  using Words = GuardedWords<sizeof(Name) / sizeof(uint64_t)>; // room for the text

  std::atomic<size_t> length; // 0: no name
  Words text;
};

struct Names : forks::Observer {
  constexpr Names() : Observer(nullptr, [](Observer& self) { static_cast<Names&>(self).lock.mend(); }) {}

  SequenceLock lock; // one for all entries: names are rarely written
  std::atomic<Entry*> chunks[chunk_count]{};
};

constinit Names names;

uint32_t index_of(uint32_t ip) { return ip - fake_ip::network; }

void write(Entry& entry, const Name& name) {
  Entry::Words::Value words{};
  std::memcpy(words.data(), name.c_str(), name.view().size());
  entry.length.store(0, std::memory_order_release);
  entry.text.store(words);
  entry.length.store(name.view().size(), std::memory_order_release);
}

} // namespace

bool remember(uint32_t ip, const Name& name) {
  forks::add_observer(names);
  if (!fake_ip::contains(ip))
    return true;
  std::atomic<Entry*>& chunk = names.chunks[index_of(ip) / chunk_size];
  Entry* entries = publish_mapping(chunk, chunk_size * sizeof(Entry), MAP_PRIVATE);
  if (!entries || !names.lock.lock())
    return false;
  write(entries[index_of(ip) % chunk_size], name);
  names.lock.unlock();
  return true;
}

std::optional<Name> name_of(uint32_t ip) {
  const Entry* entries =
      fake_ip::contains(ip) ? names.chunks[index_of(ip) / chunk_size].load(std::memory_order_acquire) : nullptr;
  if (!entries)
    return std::nullopt;
  const Entry& entry = entries[index_of(ip) % chunk_size];
  Entry::Words::Value words;
  size_t length = 0;
  const bool is_whole = names.lock.read([&] {
    length = entry.length.load(std::memory_order_acquire);
    words = entry.text.load();
    return length != 0;
  });
  if (!is_whole)
    return std::nullopt;
  Name name;
  name.add(std::string_view{reinterpret_cast<const char*>(words.data()), length});
  return name;
}

} // namespace socksify::own_fake_ips
