// SPDX-License-Identifier: MIT
#include "base/executable/program.h"
#include "base/executable/obstacle.h"
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <doctest/doctest.h>
#include <elf.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

using namespace socksify;
using namespace std::literals;

namespace {

// An executable file with this content.
class File {
public:
  explicit File(std::string_view content) {
    const int fd = ::mkstemp(m_path);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    ::fchmod(fd, 0755);
    ::close(fd);
  }
  ~File() { ::unlink(m_path); }
  Program inspect() const { return socksify::inspect(m_path); }

private:
  char m_path[32] = "/tmp/socksify-unit.XXXXXX";
};

void check_script(std::string_view content, std::string_view interpreter, std::string_view argument) {
  const auto program = File(content).inspect();
  CHECK(program.is_script());
  CHECK(program.interpreter.view() == interpreter);
  CHECK(program.argument.view() == argument);
  CHECK(obstacle_in(program, "") == Obstacle::none);
}

template <typename Value> std::string_view bytes_of(const Value& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A program of this machine, with one segment, which has this content.
std::string elf(uint32_t type, std::string_view content,
                uint16_t machine = socksify::inspect("/proc/self/exe").machine) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_machine = machine;
  header.e_phoff = sizeof header;
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = type;
  segment.p_offset = sizeof header + sizeof segment;
  segment.p_filesz = content.size();
  return std::string(bytes_of(header)).append(bytes_of(segment)).append(content);
}

} // namespace

TEST_CASE("a script names its interpreter") {
  check_script("#!/bin/sh\n", "/bin/sh", "");
  check_script("#! \t/bin/sh -e \nx", "/bin/sh", "-e");
  check_script("#!/usr/bin/env -S a  b", "/usr/bin/env", "-S a  b");
  check_script("#!/bin/sh\r\n", "/bin/sh\r", "");
  check_script("#! \n", "", "");
  check_script("#!", "", "");
}

TEST_CASE("files that are not programs of a known kind") {
  CHECK(File("").inspect().kind == Program::Kind::unknown);
  CHECK(File("echo").inspect().kind == Program::Kind::unknown);
  CHECK(File("\x7f"
             "ELF")
            .inspect()
            .kind == Program::Kind::unknown);
  const auto missing = inspect("/no/such/program");
  CHECK(missing.kind == Program::Kind::unreadable);
  CHECK(missing.error == ENOENT);
}

TEST_CASE("errno is preserved") {
  errno = EPROTO;
  inspect("/no/such/program");
  CHECK(errno == EPROTO);
}

TEST_CASE("this program is one that the library can be loaded into") {
  const auto program = inspect("/proc/self/exe");
  CHECK(program.is_elf());
  CHECK(program.interpreter.view().find("/ld-") != std::string_view::npos);
  CHECK(program.language == Program::Language::other);
  CHECK(obstacle_in(program, "") == Obstacle::none);
}

TEST_CASE("ELF files: the dynamic linker, and the notes" * doctest::skip(sizeof(void*) != 8)) {
  CHECK(obstacle_in(File(elf(PT_LOAD, "x")).inspect(), "") == Obstacle::is_static);
  CHECK(obstacle_in(File(elf(PT_INTERP, "/lib/ld-musl-x86_64.so.1\0"s)).inspect(), "") == Obstacle::musl);
  CHECK(obstacle_in(File(elf(PT_INTERP, "/lib/ld.so\0"s)).inspect(), "") == Obstacle::none);
  CHECK(obstacle_in(File(elf(PT_INTERP, "/lib/ld.so\0"s, EM_ARM)).inspect(), "/lib/$LIB/libsocksify.so") ==
        Obstacle::other_machine);
  CHECK(File(elf(PT_INTERP, "/lib/ld.so")).inspect().interpreter.view() == "/lib/ld.so");
}

TEST_CASE("Go programs have a note" * doctest::skip(sizeof(void*) != 8)) {
  const auto language = [](std::string_view notes) { return File(elf(PT_NOTE, notes)).inspect().language; };
  const auto other_note = "\3\0\0\0\4\0\0\0\1\0\0\0ABC\0abcd"s;
  CHECK(language(other_note + "\4\0\0\0\4\0\0\0\4\0\0\0Go\0\0some"s) == Program::Language::go);
  CHECK(language(other_note + "\3\0\0\0\4\0\0\0\4\0\0\0Go\0\0some"s) == Program::Language::go);
  CHECK(language(other_note) == Program::Language::other);
}
