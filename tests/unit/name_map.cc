// SPDX-License-Identifier: MIT
#include "names/name_map.h"
#include "kernel/fork.h"
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <vector>

using namespace socksify;
using namespace std::literals;

namespace {

constexpr uint32_t capacity = 8;

// A file that is removed after the test.
struct File {
  char directory[64] = "/tmp/socksify-unit.XXXXXX";
  std::string path;

  File() {
    REQUIRE(mkdtemp(directory));
    path = directory + "/names"s;
  }
  ~File() {
    unlink(path.c_str());
    rmdir(directory);
  }
  SharedStore open() const { return SharedStore::file(path.c_str()); }
  void patch(off_t offset, std::string_view bytes) const {
    const Fd fd{::open(path.c_str(), O_RDWR)};
    REQUIRE(pwrite(fd.get(), bytes.data(), bytes.size(), offset) == ssize_t(bytes.size()));
  }
  off_t size() const {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 ? status.st_size : -1;
  }
};

std::optional<uint32_t> number_of(SharedStore store, std::string_view name, uint32_t room = capacity) {
  if (!store || !store.lock(1000))
    return std::nullopt;
  return NameMap{store, room}.number_of(name);
}

std::string name_of(SharedStore store, uint32_t number, uint32_t room = capacity) {
  const auto name = NameMap{store, room}.name_of(number);
  return name ? std::string(name->view()) : "";
}

void touch(SharedStore store, uint32_t number) {
  REQUIRE(store.lock(1000));
  NameMap{store, capacity}.touch(number);
}

std::string numbered(int i) { return "host" + std::to_string(i) + ".example"; }

} // namespace

TEST_CASE("names and numbers map one to one") {
  const File file;
  CHECK(number_of(file.open(), "one") == 0u);
  CHECK(number_of(file.open(), "two") == 1u);
  CHECK(number_of(file.open(), "one") == 0u);
  CHECK(name_of(file.open(), 0) == "one");
  CHECK(name_of(file.open(), 1) == "two");
  CHECK(name_of(file.open(), 2) == "");
  CHECK(name_of(file.open(), capacity) == "");
  const std::string longest(255, 'n');
  CHECK(number_of(file.open(), longest) == 2u);
  CHECK(name_of(file.open(), 2) == longest);
}

TEST_CASE("when all numbers are taken, the least recently used name loses its number") {
  const File file;
  for (int i = 0; i < int(capacity); ++i)
    CHECK(number_of(file.open(), numbered(i)) == uint32_t(i));
  touch(file.open(), 0);                   // connected to
  number_of(file.open(), "host1.example"); // resolved again
  CHECK(number_of(file.open(), "new1") == 2u);
  CHECK(number_of(file.open(), "new2") == 3u);
  CHECK(name_of(file.open(), 0) == "host0.example");
  CHECK(name_of(file.open(), 1) == "host1.example");
  CHECK(name_of(file.open(), 2) == "new1");
  CHECK(number_of(file.open(), "host2.example") == 4u); // as a new name
}

TEST_CASE("an empty store starts at the given number; a used one continues") {
  const File file;
  const auto put = [&](std::string_view name, uint32_t first) {
    SharedStore store = file.open();
    REQUIRE(store.lock(1000));
    return NameMap{store, capacity, first}.number_of(name);
  };
  for (uint32_t i = 0; i < capacity; ++i) {
    CHECK(put(numbered(int(i)), capacity + 6 + i) == (6 + i) % capacity);
    touch(file.open(), (6 + i) % capacity);
  }
  for (uint32_t i = 0; i < capacity; ++i) {
    CHECK(name_of(file.open(), (6 + i) % capacity) == numbered(int(i)));
    CHECK(put(numbered(int(i)), 0) == (6 + i) % capacity);
  }
  CHECK(put("new", 0) == 6u);
  CHECK(name_of(file.open(), 6) == "new");
}

TEST_CASE("after many rounds, the most recent names still have different numbers") {
  const File file;
  for (int i = 0; i < 20 * int(capacity); ++i) {
    number_of(file.open(), numbered(i));
    std::set<uint32_t> numbers;
    for (int recent = std::max(0, i - int(capacity) + 1); recent <= i; ++recent) {
      const auto number = number_of(file.open(), numbered(recent));
      REQUIRE(number);
      REQUIRE(numbers.insert(*number).second);
      REQUIRE(name_of(file.open(), *number) == numbered(recent));
    }
  }
  CHECK(file.size() <= off_t(NameMap::size(capacity)));
}

TEST_CASE("processes that resolve the same names at the same time agree on all numbers") {
  const File file;
  constexpr int processes = 8, names = 50;
  constexpr uint32_t room = 1000;
  std::vector<pid_t> children;
  for (int process = 0; process < processes; ++process) {
    children.push_back(fork());
    if (children.back() == 0) {
      for (int i = 0; i < names; ++i) {
        const int number = (i * 7 + process * 13) % names;
        const auto given = number_of(file.open(), numbered(number), room);
        if (!given || name_of(file.open(), *given, room) != numbered(number))
          _exit(1);
      }
      _exit(0);
    }
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  std::set<uint32_t> numbers;
  for (int i = 0; i < names; ++i)
    numbers.insert(*number_of(file.open(), numbered(i), room));
  CHECK(numbers.size() == names);
  CHECK(*numbers.rbegin() == names - 1); // so no name got two numbers
}

TEST_CASE("a process that is killed while writing blocks nobody, and its partial record is ignored") {
  const File file;
  CHECK(number_of(file.open(), "one") == 0u);
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    SharedStore store = file.open();
    const bool is_locked = store.lock(1000);
    // Half of a record.
    const bool is_written = store.write(32 + capacity * 16 + 260, "\x01\x02\x03\x04\x07half", 9);
    [[maybe_unused]] const auto said = write(ends[1], is_locked && is_written ? "y" : "n", 1);
    pause();
  }
  char answer = 0;
  REQUIRE(read(ends[0], &answer, 1) == 1);
  CHECK(answer == 'y');
  {
    SharedStore store = file.open();
    CHECK_FALSE(store.lock(10)); // times out
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  CHECK(name_of(file.open(), 1) == "");
  CHECK(number_of(file.open(), "two") == 1u);
  CHECK(name_of(file.open(), 1) == "two");
}

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
