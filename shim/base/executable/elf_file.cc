// SPDX-License-Identifier: MIT
#include "base/executable/elf_file.h"
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <link.h>

namespace socksify::elf_file {
namespace {

using namespace std::literals;

constexpr uint8_t our_order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

// A file that ends before what its header names is not what it seems.
void require(bool is_complete) {
  if (!is_complete && errno == 0)
    errno = EIO;
}

// The types of one of the two classes.
struct Bits32 {
  using Header = Elf32_Ehdr;
  using Segment = Elf32_Phdr;
  using Section = Elf32_Shdr;
  using Entry = Elf32_Dyn;
};
struct Bits64 {
  using Header = Elf64_Ehdr;
  using Segment = Elf64_Phdr;
  using Section = Elf64_Shdr;
  using Entry = Elf64_Dyn;
};

// Calls visit(record) for each record of a table, until it returns false.
template <typename Record, typename Visit> void for_each(FileWindow& file, uint64_t offset, size_t count, Visit visit) {
  Record record;
  for (; count > 0; --count, offset += sizeof record) {
    const bool is_complete = file.read(record, offset);
    require(is_complete);
    if (!is_complete || !visit(record))
      return;
  }
}

// --- notes and sections, which show the language

constexpr uint64_t padded(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// Go's linker leaves a note with the owner "Go", padded to four bytes.
bool has_go_note(FileWindow& file, uint64_t offset, uint64_t size) {
  constexpr int most_notes = 64;
  const uint64_t end = offset + size;
  ElfW(Nhdr) note; // the same words in both classes
  for (int i = 0; i < most_notes && offset < end && file.read(note, offset); ++i) {
    char owner[3];
    if ((note.n_namesz == 3 || note.n_namesz == 4) && file.read(owner, offset + sizeof note) &&
        std::memcmp(owner, "Go", sizeof owner) == 0)
      return true;
    offset += sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
  }
  return false;
}

struct Mark {
  std::string_view section;
  Program::Language language;
};
constexpr Mark marks[] = {
    {"\0.go.buildinfo"sv, Program::Language::go},     {"\0.note.go.buildid"sv, Program::Language::go},
    {"\0.gopclntab"sv, Program::Language::go},        {"\0.fpcdata"sv, Program::Language::pascal},
    {"\0fpc.resources"sv, Program::Language::pascal}, {"\0.socksify"sv, Program::Language::launcher},
};

Program::Language language_in(std::string_view names) {
  for (const auto& [section, language] : marks)
    if (names.find(section) != names.npos)
      return language;
  return Program::Language::other;
}

// Searches the names of all sections: the table of sections itself is many times as long.
Program::Language language_in(FileWindow& file, uint64_t offset, uint64_t size) {
  constexpr size_t longest_mark = 32, longest_table = 16384;
  constexpr size_t step = FileWindow::capacity - longest_mark;
  for (uint64_t at = 0; at < std::min<uint64_t>(size, longest_table); at += step) {
    const auto names = file.view(std::min<uint64_t>(size - at, FileWindow::capacity), offset + at);
    if (const auto language = language_in(names); language != Program::Language::other)
      return language;
  }
  return Program::Language::other;
}

// --- segments

std::string_view until_nul(std::string_view text) { return {text.data(), strnlen(text.data(), text.size())}; }

void read_interpreter(FileWindow& file, uint64_t offset, uint64_t size, Program& program) {
  constexpr uint64_t most = 255;
  const size_t length = std::min<uint64_t>(size, most + 1);
  const auto path = file.view(length, offset + size - length);
  require(path.size() == length);
  program.interpreter.clear();
  program.interpreter.add(until_nul(path));
}

// What the dynamic section says, in addresses and in offsets into its strings.
struct Dynamic {
  uint64_t offset = 0, size = 0; // in the file
  uint64_t strings = 0;
  uint64_t first_needed = 0, soname = 0; // 0: there is none
};

template <typename Bits> void read_entries(FileWindow& file, Dynamic& dynamic) {
  for_each<typename Bits::Entry>(file, dynamic.offset, dynamic.size / sizeof(typename Bits::Entry),
                                 [&](const auto& entry) {
                                   if (entry.d_tag == DT_STRTAB)
                                     dynamic.strings = entry.d_un.d_ptr;
                                   else if (entry.d_tag == DT_NEEDED && !dynamic.first_needed)
                                     dynamic.first_needed = entry.d_un.d_val;
                                   else if (entry.d_tag == DT_SONAME)
                                     dynamic.soname = entry.d_un.d_val;
                                   return entry.d_tag != DT_NULL;
                                 });
}

// What one file of a class has that is found by way of other parts of it.
template <typename Bits> class Reader {
public:
  Reader(FileWindow& file, const typename Bits::Header& header, Program& program)
      : m_file(file), m_header(header), m_program(program) {}

  void read() {
    for_each_segment([&](const auto& segment) { read_segment(segment); });
    read_dynamic();
    if (m_program.language == Program::Language::other)
      read_section_names();
  }

private:
  template <typename Visit> void for_each_segment(Visit visit) {
    for_each<typename Bits::Segment>(m_file, m_header.e_phoff, m_header.e_phnum, [&](const auto& segment) {
      visit(segment);
      return true;
    });
  }

  void read_segment(const typename Bits::Segment& segment) {
    if (segment.p_type == PT_INTERP)
      read_interpreter(m_file, segment.p_offset, segment.p_filesz, m_program);
    else if (segment.p_type == PT_NOTE && has_go_note(m_file, segment.p_offset, segment.p_filesz))
      m_program.language = Program::Language::go;
    else if (segment.p_type == PT_DYNAMIC)
      m_dynamic.offset = segment.p_offset, m_dynamic.size = segment.p_filesz;
  }

  // A sanitizer's runtime has to be the first library that a program needs. Of the files that name no interpreter only
  // the dynamic linker has a name as a library.
  void read_dynamic() {
    read_entries<Bits>(m_file, m_dynamic);
    const bool has_interpreter = !m_program.interpreter.view().empty();
    const uint64_t name = has_interpreter ? m_dynamic.first_needed : m_dynamic.soname;
    if (!name)
      return;
    constexpr size_t most = sizeof m_program.sanitizer;
    const auto text = until_nul(m_file.view(most, offset_of(m_dynamic.strings) + name));
    if (!has_interpreter)
      m_program.is_linker = text.starts_with("ld");
    else if (names_sanitizer(text) && text.size() < most)
      m_program.sanitizer.add(text);
  }

  uint64_t offset_of(uint64_t address) {
    uint64_t offset = 0;
    for_each_segment([&](const auto& segment) {
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr && address - segment.p_vaddr < segment.p_filesz)
        offset = address - segment.p_vaddr + segment.p_offset;
    });
    return offset;
  }

  void read_section_names() {
    typename Bits::Section names;
    if (m_header.e_shstrndx != SHN_UNDEF &&
        m_file.read(names, m_header.e_shoff + uint64_t{m_header.e_shstrndx} * sizeof names))
      m_program.language = language_in(m_file, names.sh_offset, names.sh_size);
  }

  FileWindow& m_file;
  const typename Bits::Header& m_header;
  Program& m_program;
  Dynamic m_dynamic;
};

template <typename Bits> void read_class(FileWindow& file, Program& program) {
  typename Bits::Header header;
  if (!file.read(header, 0))
    return;
  if (header.e_ident[EI_DATA] != our_order)
    return;
  program.machine = header.e_machine;
  Reader<Bits>(file, header, program).read();
}

} // namespace

void read(FileWindow& file, Program& program) {
  const auto beginning = file.view(EI_NIDENT, 0);
  if (beginning.size() <= EI_CLASS || !beginning.starts_with(ELFMAG))
    return;
  program.kind = Program::Kind::elf;
  program.elf_class = static_cast<uint8_t>(beginning[EI_CLASS]);
  errno = 0;
  if (program.elf_class == ELFCLASS32)
    read_class<Bits32>(file, program);
  else
    read_class<Bits64>(file, program);
  // Rather unknown than taken for a static program.
  program.error = errno;
  if (program.error)
    program.kind = Program::Kind::unreadable;
}

} // namespace socksify::elf_file
