// SPDX-License-Identifier: MIT
#include "check/elf.h"
#include <algorithm>
#include <bit>
#include <cstring>
#include <elf.h>
#include <limits.h>
#include <unistd.h>

namespace socksify {
namespace {

constexpr unsigned char our_order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
constexpr size_t most_notes = 65536; // bytes that are looked at

template <typename Value> bool read_at(int fd, Value& value, uint64_t offset) {
  return ::pread(fd, &value, sizeof value, static_cast<off_t>(offset)) == sizeof value;
}

std::string bytes_at(int fd, uint64_t offset, uint64_t size) {
  std::string bytes(static_cast<size_t>(size), '\0');
  const ssize_t length = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  bytes.resize(length < 0 ? 0 : static_cast<size_t>(length));
  return bytes;
}

constexpr uint32_t padded(uint32_t size) { return (size + 3) & ~3u; }

// The linker of Go leaves a note of the owner "Go" in every program.
bool has_note_of_go(const std::string& notes) {
  Elf64_Nhdr header; // the same words in both classes
  for (size_t at = 0; at + sizeof header <= notes.size();) {
    std::memcpy(&header, notes.data() + at, sizeof header);
    if (header.n_namesz == 3 && notes.compare(at + sizeof header, 2, "Go") == 0)
      return true;
    if (header.n_namesz > most_notes || header.n_descsz > most_notes)
      return false;
    at += sizeof header + padded(header.n_namesz) + padded(header.n_descsz);
  }
  return false;
}

template <typename Header, typename Segment> void read_segments(int fd, Elf& elf) {
  Header header;
  if (!read_at(fd, header, 0))
    return;
  elf.machine = header.e_machine;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Segment segment;
    if (!read_at(fd, segment, header.e_phoff + uint64_t{i} * sizeof segment))
      return;
    if (segment.p_type == PT_INTERP)
      elf.interpreter = bytes_at(fd, segment.p_offset, std::min<uint64_t>(segment.p_filesz, PATH_MAX)).c_str();
    else if (segment.p_type == PT_NOTE)
      elf.is_go |= has_note_of_go(bytes_at(fd, segment.p_offset, std::min<uint64_t>(segment.p_filesz, most_notes)));
  }
}

} // namespace

std::optional<Elf> read_elf(int fd) {
  unsigned char identity[EI_NIDENT];
  if (!read_at(fd, identity, 0) || std::memcmp(identity, ELFMAG, SELFMAG) != 0 || identity[EI_DATA] != our_order)
    return std::nullopt;
  Elf elf;
  elf.bits = identity[EI_CLASS] == ELFCLASS32 ? 32 : 64;
  if (elf.bits == 32)
    read_segments<Elf32_Ehdr, Elf32_Phdr>(fd, elf);
  else
    read_segments<Elf64_Ehdr, Elf64_Phdr>(fd, elf);
  return elf;
}

} // namespace socksify
