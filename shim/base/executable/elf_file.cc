// SPDX-License-Identifier: MIT
#include "base/executable/elf_file.h"
#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <link.h>
#include <unistd.h>

namespace socksify::elf_file {
namespace {

using namespace std::literals;

constexpr uint8_t our_order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;

// Fewer bytes than `size` at the end of the file, or after an error: then errno is set, see read().
size_t read_at(int fd, void* to, size_t size, uint64_t offset) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd, static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    if (got == 0 || (got < 0 && errno != EINTR))
      break;
    errno = got < 0 ? 0 : errno;
    done += got < 0 ? 0 : static_cast<size_t>(got);
  }
  return done;
}

// A file that ends before what its header names is not what it seems.
void require(bool is_complete) {
  if (!is_complete && errno == 0)
    errno = EIO;
}

template <typename Value> bool read_value(int fd, Value& value, uint64_t offset) {
  return read_at(fd, &value, sizeof value, offset) == sizeof value;
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

// Calls visit(record) for each record of a table, until it returns false. Reads a few at a time, for a small stack.
template <typename Record, typename Visit> void for_each(int fd, uint64_t offset, size_t count, Visit visit) {
  Record records[8];
  while (count > 0) {
    const size_t most = std::min(count, std::size(records));
    const size_t got = read_at(fd, records, most * sizeof(Record), offset) / sizeof(Record);
    for (size_t i = 0; i < got; ++i)
      if (!visit(records[i]))
        return;
    require(got == most);
    if (got < most)
      return;
    count -= got;
    offset += got * sizeof(Record);
  }
}

// --- notes and sections, which show the language

constexpr uint64_t padded(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// Go's linker leaves a note with the owner "Go", padded to four bytes.
bool has_go_note(int fd, uint64_t offset, uint64_t size) {
  constexpr int most_notes = 64;
  const uint64_t end = offset + size;
  ElfW(Nhdr) note; // the same words in both classes
  for (int i = 0; i < most_notes && offset < end && read_value(fd, note, offset); ++i) {
    char owner[3];
    if ((note.n_namesz == 3 || note.n_namesz == 4) && read_value(fd, owner, offset + sizeof note) &&
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
Program::Language language_in(int fd, uint64_t offset, uint64_t size) {
  constexpr size_t longest_mark = 32, longest_table = 16384;
  char names[512];
  for (uint64_t at = 0; at < std::min<uint64_t>(size, longest_table); at += sizeof names - longest_mark) {
    const size_t length = read_at(fd, names, std::min<uint64_t>(size - at, sizeof names), offset + at);
    if (const auto language = language_in({names, length}); language != Program::Language::other)
      return language;
  }
  return Program::Language::other;
}

// --- segments

void read_interpreter(int fd, uint64_t offset, uint64_t size, Program& program) {
  constexpr uint64_t most = 255;
  char path[most + 1];
  const uint64_t skipped = size > sizeof path ? size - sizeof path : 0;
  const size_t length = read_at(fd, path, std::min<uint64_t>(size, sizeof path), offset + skipped);
  require(length == std::min<uint64_t>(size, sizeof path));
  program.interpreter.clear();
  program.interpreter.add(std::string_view{path, strnlen(path, length)});
}

// What the dynamic section says, in addresses and in offsets into its strings.
struct Dynamic {
  uint64_t offset = 0, size = 0; // in the file
  uint64_t strings = 0;
  uint64_t first_needed = 0, soname = 0; // 0: there is none
};

template <typename Bits> void read_entries(int fd, Dynamic& dynamic) {
  for_each<typename Bits::Entry>(fd, dynamic.offset, dynamic.size / sizeof(typename Bits::Entry),
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
  Reader(int fd, const typename Bits::Header& header, Program& program)
      : m_fd(fd), m_header(header), m_program(program) {}

  void read() {
    for_each_segment([&](const auto& segment) { read_segment(segment); });
    read_dynamic();
    if (m_program.language == Program::Language::other)
      read_section_names();
  }

private:
  template <typename Visit> void for_each_segment(Visit visit) {
    for_each<typename Bits::Segment>(m_fd, m_header.e_phoff, m_header.e_phnum, [&](const auto& segment) {
      visit(segment);
      return true;
    });
  }

  void read_segment(const typename Bits::Segment& segment) {
    if (segment.p_type == PT_INTERP)
      read_interpreter(m_fd, segment.p_offset, segment.p_filesz, m_program);
    else if (segment.p_type == PT_NOTE && has_go_note(m_fd, segment.p_offset, segment.p_filesz))
      m_program.language = Program::Language::go;
    else if (segment.p_type == PT_DYNAMIC)
      m_dynamic.offset = segment.p_offset, m_dynamic.size = segment.p_filesz;
  }

  // A sanitizer's runtime has to be the first library that a program needs. Of the files that name no interpreter only
  // the dynamic linker has a name as a library.
  void read_dynamic() {
    read_entries<Bits>(m_fd, m_dynamic);
    const bool has_interpreter = !m_program.interpreter.view().empty();
    const uint64_t name = has_interpreter ? m_dynamic.first_needed : m_dynamic.soname;
    if (!name)
      return;
    char bytes[sizeof m_program.sanitizer];
    const size_t length = read_at(m_fd, bytes, sizeof bytes, offset_of(m_dynamic.strings) + name);
    const std::string_view text{bytes, strnlen(bytes, length)};
    if (!has_interpreter)
      m_program.is_linker = text.starts_with("ld");
    else if (names_sanitizer(text) && text.size() < sizeof bytes)
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
        read_value(m_fd, names, m_header.e_shoff + uint64_t{m_header.e_shstrndx} * sizeof names))
      m_program.language = language_in(m_fd, names.sh_offset, names.sh_size);
  }

  const int m_fd;
  const typename Bits::Header& m_header;
  Program& m_program;
  Dynamic m_dynamic;
};

template <typename Bits> void read_class(int fd, std::string_view beginning, Program& program) {
  typename Bits::Header header;
  if (beginning.size() < sizeof header)
    return;
  std::memcpy(&header, beginning.data(), sizeof header);
  if (header.e_ident[EI_DATA] != our_order)
    return;
  program.machine = header.e_machine;
  Reader<Bits>(fd, header, program).read();
}

} // namespace

void read(int fd, std::string_view beginning, Program& program) {
  if (beginning.size() <= EI_CLASS || !beginning.starts_with(ELFMAG))
    return;
  program.kind = Program::Kind::elf;
  program.elf_class = static_cast<uint8_t>(beginning[EI_CLASS]);
  errno = 0;
  if (program.elf_class == ELFCLASS32)
    read_class<Bits32>(fd, beginning, program);
  else
    read_class<Bits64>(fd, beginning, program);
  // Rather unknown than taken for a static program.
  program.error = errno;
  if (program.error)
    program.kind = Program::Kind::unreadable;
}

} // namespace socksify::elf_file
