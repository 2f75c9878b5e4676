// SPDX-License-Identifier: MIT
#include "kernel/fork.h"
#include "name_files.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <vector>

using namespace socksify;
using namespace socksify::test;

TEST_CASE("a damaged file is never trusted, and is replaced") {
  for (const off_t offset : {7, 8, 16, 20, 24, 30, 38}) {
    const File file;
    number_of(file.open(), "one");
    number_of(file.open(), "two");
    file.patch(offset, "\xff\xff\xff\xff\xff\xff\xff\xff"sv);
    const auto number = number_of(file.open(), "two");
    REQUIRE(number);
    CHECK(name_of(file.open(), *number) == "two");
    CHECK(number_of(file.open(), "two") == number);
  }
  const File file;
  number_of(file.open(), "one");
  const off_t record = 32 + capacity * 16;
  for (off_t i = 0; i < 8; ++i) {
    file.patch(record + i, "\xa5"sv);
    CHECK(name_of(file.open(), 0) == "");
    CHECK(number_of(file.open(), "one").has_value());
    unlink(file.path.c_str());
    number_of(file.open(), "one");
  }
}

TEST_CASE("a truncated file does no harm") {
  const File file;
  number_of(file.open(), "one");
  number_of(file.open(), "two");
  for (off_t size = file.size(); size >= 0; size -= 7) {
    if (size < 8)
      size = 0; // less would be anybody's
    REQUIRE(truncate(file.path.c_str(), size) == 0);
    name_of(file.open(), 1);
    const auto number = number_of(file.open(), "two");
    REQUIRE(number);
    CHECK(name_of(file.open(), *number) == "two");
  }
}

TEST_CASE("a file with other contents is left alone") {
  for (const std::string& contents : {"x"s, "a diary\n"s, std::string(8, '\0'), std::string(100'000, '\xee')}) {
    const File file;
    CHECK(file.open());
    file.patch(0, contents);
    CHECK_FALSE(number_of(file.open(), "one"));
    CHECK(name_of(file.open(), 0) == "");
    touch(file.open(), 0);
    SharedStore store = file.open();
    NameMap map{store, capacity};
    CHECK(map.is_foreign());
    map.set_mark(7);
    CHECK(map.mark() == 0);
    CHECK(file.size() == off_t(contents.size()));
    std::string now(contents.size(), '?');
    REQUIRE(store.read(0, now.data(), now.size()));
    CHECK(now == contents);
  }
}

TEST_CASE("a file of another version of ours is replaced") {
  const File file;
  CHECK(file.open());
  file.patch(0, "SOKNAME1 and more");
  CHECK(number_of(file.open(), "one"));
}

TEST_CASE("a number for all users of a store") {
  const File file;
  SharedStore store = file.open();
  NameMap map{store, capacity};
  CHECK(map.mark() == 0);
  map.set_mark(7);
  CHECK(map.mark() == 7);
  CHECK(map.number_of("one"));
  CHECK(NameMap{store, capacity}.mark() == 7);
}

TEST_CASE("a file that others can access is not used") {
  const File file;
  number_of(file.open(), "one");
  chmod(file.path.c_str(), 0640);
  CHECK_FALSE(file.open());
  chmod(file.path.c_str(), 0600);
  CHECK(file.open());
  const std::string other = file.directory + "/other"s;
  REQUIRE(link(file.path.c_str(), other.c_str()) == 0);
  CHECK_FALSE(file.open());
  unlink(file.path.c_str());
  REQUIRE(symlink(other.c_str(), file.path.c_str()) == 0);
  CHECK_FALSE(file.open());
  unlink(file.path.c_str());
  unlink(other.c_str());
  REQUIRE(mkfifo(file.path.c_str(), 0600) == 0);
  CHECK_FALSE(file.open());
  CHECK_FALSE(SharedStore::file("/nonexistent/names"));
  CHECK_FALSE(SharedStore::file("/"));
}

TEST_CASE("a file that may not grow is not written, and raises no signal") {
  const File file;
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit little{100, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
  CHECK_FALSE(number_of(file.open(), "one").has_value());
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(number_of(file.open(), "one") == 0u);
}

TEST_CASE("anonymous memory works like a file") {
  std::vector<uint64_t> room((sizeof(SharedStore::Memory) + NameMap::size(capacity)) / 8 + 1);
  auto* start = reinterpret_cast<SharedStore::Memory*>(room.data());
  const auto open = [&] { return SharedStore::memory(start, NameMap::size(capacity)); };
  for (int i = 0; i < 3 * int(capacity); ++i) {
    const auto number = number_of(open(), numbered(i));
    REQUIRE(number == uint32_t(i) % capacity);
    CHECK(name_of(open(), *number) == numbered(i));
  }
  SharedStore one = open(), other = open();
  CHECK(one.lock(10));
  CHECK_FALSE(other.lock(10));
}

TEST_CASE("the lock of a killed process is released") {
  const size_t size = sizeof(SharedStore::Memory) + NameMap::size(capacity);
  void* room = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(room != MAP_FAILED);
  const auto open = [&] {
    return SharedStore::memory(static_cast<SharedStore::Memory*>(room), NameMap::size(capacity));
  };
  forks::watch(); // so that the child notices its new process ID
  const pid_t child = fork();
  if (child == 0) {
    SharedStore store = open();
    _exit(store.lock(1000) ? 0 : 1); // its destructor is not run
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  CHECK(open().lock(0));
  munmap(room, size);
}
