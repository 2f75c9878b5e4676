// SPDX-License-Identifier: MIT
#include "name_files.h"
#include <set>
#include <sys/wait.h>
#include <vector>

using namespace socksify;
using namespace socksify::test;

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
