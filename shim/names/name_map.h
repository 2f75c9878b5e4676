// SPDX-License-Identifier: MIT
// Names with numbers, in a store: one number a name. When all are taken, the name that nobody has used for longest
// gives its number away. Nothing that stands in the store is believed unseen: a record carries a checksum, which
// tells what a process that was killed has left half done, and the number of a record is its place.
//
//   header | for each number: hash of its name, when it was used | for each number: its name
//
// What cannot be read is not taken for empty: its numbers would be given a second time.
#pragma once
#include "base/text.h"
#include "names/shared_store.h"
#include <optional>

namespace socksify {

using Name = Text<256>;

class NameMap {
public:
  // `first`: the number with which an empty store begins.
  NameMap(Store& store, uint32_t capacity, uint32_t first = 0)
      : m_store(store), m_capacity(capacity), m_first(first % capacity) {}

  // How many bytes there are for so many names.
  static size_t size(uint32_t capacity);

  // The number of a name, which has one from now on. Nothing if the store cannot be read or written. The
  // store is locked.
  std::optional<uint32_t> number_of(std::string_view name);

  // The name of a number.
  std::optional<Name> name_of(uint32_t number) const;

  // The number is in use. The store is locked.
  void touch(uint32_t number);

private:
  struct Header;
  struct Use;
  struct Record;
  struct Search;

  std::optional<Header> header() const;
  std::optional<Search> search(const Header& header, uint32_t hash, std::string_view name) const;
  bool put(uint32_t number, const Use& use);
  bool put(uint32_t number, std::string_view name);
  static uint64_t next_use(Header& header);
  size_t use_offset(uint32_t number) const;
  size_t record_offset(uint32_t number) const;

  Store& m_store;
  uint32_t m_capacity;
  uint32_t m_first;
};

} // namespace socksify
