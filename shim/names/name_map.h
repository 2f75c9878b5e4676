// SPDX-License-Identifier: MIT
// Numbers its names: a map in a SharedStore. When all numbers are taken, a new name takes that of the least recently
// used one. The store's contents are never trusted: each record has a checksum over its name and number, which exposes
// what a killed process left half-written.
//
//   header | for each number: hash of its name, last use | for each number: its name
//
// A store that cannot be read does not count as empty: its numbers would be given a second time. One with other
// contents than ours is never written.
#pragma once
#include "names/host_name.h"
#include "names/shared_store.h"

namespace socksify {

class NameMap {
public:
  // An empty store begins with the number `first`.
  NameMap(SharedStore& store, uint32_t capacity, uint32_t first = 0)
      : m_store(store), m_capacity(capacity), m_first(first % capacity) {}

  // Bytes that the store needs for that many names.
  static size_t size(uint32_t capacity);

  // The number of a name, which gets one if it has none. Nullopt if the store cannot be read or written. The caller
  // has locked the store.
  std::optional<uint32_t> number_of(std::string_view name);

  // Nullopt if there is no name with this number, or it cannot be read.
  std::optional<Name> name_of(uint32_t number) const;

  // Records that the number is in use. The caller has locked the store.
  void touch(uint32_t number);

  // True if the store has other contents.
  bool is_foreign() const;

  // A number that its users share; 0 at first.
  uint32_t mark() const;
  void set_mark(uint32_t mark); // The caller has locked the store.

private:
  struct Header;
  struct Use;
  struct Record;
  struct Search;

  std::optional<Header> header() const;
  std::optional<Search> search(const Header& header, uint32_t hash, std::string_view name) const;
  bool has_name(uint32_t number, std::string_view name) const;
  bool put(const Header& header);
  bool put(uint32_t number, const Use& use);
  bool put(uint32_t number, std::string_view name);
  static uint64_t next_use(Header& header);
  size_t use_offset(uint32_t number) const;
  size_t record_offset(uint32_t number) const;

  SharedStore& m_store;
  uint32_t m_capacity;
  uint32_t m_first;
};

} // namespace socksify
