// SPDX-License-Identifier: MIT
#include "base/executable/file_window.h"
#include "base/fd.h"
#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>

using namespace socksify;

namespace {

// A file without a name.
Fd file_with(const std::string& contents) {
  Fd fd{memfd_create("unit", MFD_CLOEXEC)};
  REQUIRE(pwrite(fd.get(), contents.data(), contents.size(), 0) == ssize_t(contents.size()));
  return fd;
}

std::string numbered(size_t size) {
  std::string text;
  for (size_t i = 0; i < size; ++i)
    text += static_cast<char>(i * 7 + i / 256);
  return text;
}

} // namespace

TEST_CASE("a window shows every part of a file, in any order") {
  constexpr size_t size = 3 * FileWindow::capacity + 5;
  const std::string contents = numbered(size);
  const Fd fd = file_with(contents);
  FileWindow window{fd.get()};
  for (const size_t offset : {size_t{0}, size_t{1000}, size_t{2047}, size - 9, size_t{3}, size_t{1020}, size - 1})
    for (const size_t length : {size_t{1}, size_t{8}, FileWindow::capacity}) {
      CHECK(window.view(length, offset) == contents.substr(offset, length));
      std::string copy(length, '\0');
      CHECK(window.read(copy.data(), length, offset) == std::min(length, size - offset));
      CHECK(copy.substr(0, size - offset) == contents.substr(offset, length));
    }
  std::string all(size + 1, '\0');
  CHECK(window.read(all.data(), all.size(), 0) == size);
  CHECK(all.substr(0, size) == contents);
}

TEST_CASE("a window beyond the end is empty, and errno is kept") {
  const Fd fd = file_with("abc");
  FileWindow window{fd.get()};
  errno = 0;
  CHECK(window.view(4, 0) == "abc");
  CHECK(window.view(4, 3).empty());
  CHECK(window.view(4, 1u << 30).empty());
  CHECK(errno == 0);
  int value = 0;
  CHECK_FALSE(window.read(value, 0));
}

TEST_CASE("a window on what cannot be read is empty, with errno") {
  FileWindow window{-1};
  errno = 0;
  CHECK(window.view(4, 0).empty());
  CHECK(errno == EBADF);
}
