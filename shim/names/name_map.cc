// SPDX-License-Identifier: MIT
#include "names/name_map.h"
#include <algorithm>
#include <cstring>

namespace socksify {
namespace {

constexpr uint64_t format = 0x32454d414e4b4f53; // "SOKNAME2"

bool is_of_any_version(uint64_t word) { return word << 8 == format << 8; }

// FNV-1a
uint32_t hash_of(std::string_view bytes, uint32_t hash = 0x811c9dc5) {
  for (const char byte : bytes)
    hash = (hash ^ static_cast<uint8_t>(byte)) * 0x01000193;
  return hash;
}

} // namespace

struct NameMap::Header {
  uint64_t format;
  uint64_t uses; // so far, of all names
  uint32_t capacity;
  uint32_t first; // the first number that was given
  uint32_t count; // of the numbers given: `first` and those after it, modulo capacity
  uint32_t mark;

  bool has_given(uint32_t number) const { return (number + capacity - first) % capacity < count; }
};

struct NameMap::Use {
  uint64_t used; // the value of Header::uses at the last use
  uint32_t hash;
  uint32_t spare;
};

struct NameMap::Record {
  uint32_t check;
  uint8_t length; // 0: none
  char text[255];

  uint32_t sum(uint32_t number) const {
    return hash_of({text, length}, hash_of({reinterpret_cast<const char*>(&number), sizeof number}) + length);
  }
  bool is_whole(uint32_t number) const { return length && check == sum(number); }
  std::string_view view() const { return {text, length}; }
};

// The result of a search for a name.
struct NameMap::Search {
  std::optional<uint32_t> found;
  uint32_t oldest = 0;   // the number for a new name: the next one or, if all are taken, the least recently used
  uint64_t earliest = 0; // when `oldest` was used

  void consider(uint32_t number, uint64_t used) {
    if (used >= earliest)
      return;
    earliest = used;
    oldest = number;
  }
};

size_t NameMap::use_offset(uint32_t number) const { return sizeof(Header) + number * sizeof(Use); }

size_t NameMap::record_offset(uint32_t number) const { return use_offset(m_capacity) + number * sizeof(Record); }

size_t NameMap::size(uint32_t capacity) { return sizeof(Header) + size_t{capacity} * (sizeof(Use) + sizeof(Record)); }

// A damaged store counts as empty: its records are overwritten as numbers are given.
std::optional<NameMap::Header> NameMap::header() const {
  Header header;
  if (!m_store.read(0, &header, sizeof header) || (!is_of_any_version(header.format) && !m_store.may_be_initialized()))
    return std::nullopt;
  const bool is_sound = header.format == format && header.capacity == m_capacity && header.first < m_capacity &&
                        header.count <= m_capacity;
  return is_sound ? header : Header{format, 0, m_capacity, m_first, 0, 0};
}

bool NameMap::is_foreign() const {
  Header header;
  return m_store.read(0, &header, sizeof header) && !this->header();
}

uint32_t NameMap::mark() const {
  const auto header = this->header();
  return header ? header->mark : 0;
}

void NameMap::set_mark(uint32_t mark) {
  auto header = this->header();
  if (!header)
    return;
  header->mark = mark;
  put(*header);
}

std::optional<Name> NameMap::name_of(uint32_t number) const {
  constexpr int attempts = 3; // another process may be writing it
  for (int i = 0; number < m_capacity && i < attempts; ++i) {
    Record record;
    if (m_store.read(record_offset(number), &record, sizeof record) && record.is_whole(number)) {
      Name name;
      name.add(record.view());
      return name;
    }
  }
  return std::nullopt;
}

std::optional<NameMap::Search> NameMap::search(const Header& header, uint32_t hash, std::string_view name) const {
  Search search{std::nullopt, (header.first + header.count) % m_capacity, UINT64_MAX};
  Use uses[128];
  for (uint32_t seen = 0, here; seen < header.count && !search.found; seen += here) {
    const uint32_t first = (header.first + seen) % m_capacity;
    here = std::min({static_cast<uint32_t>(std::size(uses)), header.count - seen, m_capacity - first});
    if (!m_store.read(use_offset(first), uses, here * sizeof *uses))
      return std::nullopt;
    for (uint32_t i = 0; i < here && !search.found; ++i) {
      if (uses[i].hash == hash && has_name(first + i, name))
        search.found = first + i;
      if (header.count == m_capacity)
        search.consider(first + i, uses[i].used);
    }
  }
  return search;
}

bool NameMap::has_name(uint32_t number, std::string_view name) const {
  const auto there = name_of(number);
  return there && there->view() == name;
}

uint64_t NameMap::next_use(Header& header) { return ++header.uses; }

bool NameMap::put(const Header& header) { return m_store.write(0, &header, sizeof header); }

bool NameMap::put(uint32_t number, const Use& use) { return m_store.write(use_offset(number), &use, sizeof use); }

bool NameMap::put(uint32_t number, std::string_view name) {
  Record record{};
  record.length = static_cast<uint8_t>(name.size());
  std::copy(name.begin(), name.end(), record.text);
  record.check = record.sum(number);
  return m_store.write(record_offset(number), &record, sizeof record);
}

// Writes the name before anything refers to it, but the header of an empty store first: it shows whose the file is.
std::optional<uint32_t> NameMap::number_of(std::string_view name) {
  const uint32_t hash = hash_of(name);
  auto header = this->header();
  const auto search = header ? this->search(*header, hash, name) : std::nullopt;
  if (!search)
    return std::nullopt;
  if (header->count == 0 && !put(*header))
    return std::nullopt;
  const uint32_t number = search->found.value_or(search->oldest);
  if (!search->found && !put(number, name))
    return std::nullopt;
  header->count += !header->has_given(number);
  const Use use{next_use(*header), hash, 0};
  const bool is_done = put(number, use) && put(*header);
  return is_done ? std::optional{number} : std::nullopt;
}

void NameMap::touch(uint32_t number) {
  auto header = this->header();
  Use use{};
  if (!header || !header->has_given(number) || !m_store.read(use_offset(number), &use, sizeof use))
    return;
  use.used = next_use(*header);
  if (put(number, use)) [[maybe_unused]]
    const bool is_done = m_store.write(offsetof(Header, uses), &header->uses, sizeof header->uses);
}

} // namespace socksify
