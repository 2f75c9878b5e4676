// SPDX-License-Identifier: MIT
#include "kernel/cookie_map.h"
#include "kernel/fork.h"
#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace socksify;

namespace {

CookieMap::Value value_of(uint64_t seed) { return {seed, seed * 3, seed * 5, seed * 7, seed * 11}; }

bool holds(const CookieMap& table, uint64_t key, uint64_t seed) {
  CookieMap::Value value{};
  return table.find(key, value) && value == value_of(seed);
}

} // namespace

TEST_CASE("a table stores, replaces, changes and erases") {
  auto* const table = new CookieMap; // never freed: fork() walks a list of all maps
  CookieMap::Value value{};
  CHECK(table->empty());
  CHECK_FALSE(table->find(7, value));
  CHECK(table->store(7, value_of(1)));
  CHECK(holds(*table, 7, 1));
  CHECK(table->store(7, value_of(2)));
  CHECK(holds(*table, 7, 2));
  CHECK(table->update(7, [](CookieMap::Value& v) { return v = value_of(3), true; }));
  CHECK(holds(*table, 7, 3));
  CHECK_FALSE(table->update(7, [](CookieMap::Value& v) { return v = value_of(4), false; }));
  CHECK(holds(*table, 7, 3));
  CHECK_FALSE(table->update(8, [](CookieMap::Value&) { return true; }));
  table->erase(7);
  CHECK_FALSE(table->find(7, value));
  CHECK(table->empty());
}

TEST_CASE("a table grows with its entries, whatever their keys") {
  auto* const table = new CookieMap; // never freed: fork() walks a list of all maps
  std::map<uint64_t, uint64_t> expected;
  for (uint64_t i = 1; i <= 20000; ++i)
    expected[i % 3 ? i : i << 40] = i;
  for (const auto& [key, seed] : expected)
    REQUIRE(table->store(key, value_of(seed)));
  size_t wrong = 0, seen = 0;
  for (const auto& [key, seed] : expected)
    wrong += !holds(*table, key, seed);
  table->for_each([&](uint64_t key, const CookieMap::Value& value, uint64_t) {
    ++seen;
    wrong += value != value_of(expected.at(key));
  });
  CHECK(wrong == 0);
  CHECK(seen == expected.size());
}

TEST_CASE("a sweep erases unwanted entries, and keeps those stored during the sweep") {
  auto* const table = new CookieMap; // never freed: fork() walks a list of all maps
  for (uint64_t key = 1; key <= 40; ++key)
    table->store(key, value_of(key));
  REQUIRE(table->begin_sweep());
  CHECK_FALSE(table->begin_sweep());
  for (uint64_t key = 2; key <= 40; key += 2)
    table->keep(key);
  table->store(41, value_of(41));
  size_t forgotten = 0;
  table->end_sweep(20, [&](uint64_t key, const CookieMap::Value& value) { forgotten += value == value_of(key); });
  CHECK(forgotten == 20);
  for (uint64_t key = 1; key <= 41; ++key)
    CHECK(holds(*table, key, key) == (key % 2 == 0 || key == 41));
}

TEST_CASE("touching an entry marks it as used more recently") {
  auto* const table = new CookieMap; // never freed: fork() walks a list of all maps
  table->store(1, value_of(1));
  table->store(2, value_of(2));
  CookieMap::Value value;
  CHECK(table->touch(1, value));
  uint64_t use[3]{};
  table->for_each([&](uint64_t key, const CookieMap::Value&, uint64_t when) { use[key] = when; });
  CHECK(use[1] > use[2]);
}

TEST_CASE("readers never see half a value while threads store, erase and grow") {
  auto* const table = new CookieMap; // never freed: fork() walks a list of all maps
  std::atomic<bool> over{false};
  std::atomic<size_t> torn{0}, hits{0};
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < 2; ++writer)
    threads.emplace_back([&, writer] {
      for (uint64_t i = 0; i < 20000; ++i) {
        const uint64_t key = 1 + (i * 2 + writer) % 300;
        table->store(key, value_of(i + 1));
        if (i % 5 == 0)
          table->erase(key);
      }
      over = true;
    });
  threads.emplace_back([&] {
    CookieMap::Value value{};
    for (uint64_t key = 1; !over; key = key % 300 + 1)
      if (table->find(key, value)) {
        ++hits;
        torn += value != value_of(value[0]);
      }
  });
  for (auto& thread : threads)
    thread.join();
  CHECK(torn == 0);
}

TEST_CASE("a child ignores an entry that another thread was writing at the fork") {
  auto* const table = new CookieMap; // never freed: fork() walks a list of all maps
  forks::watch();
  REQUIRE(table->store(1, value_of(1))); // the first level exists now
  table->erase(1);
  std::atomic<bool> over{false};
  std::thread writer([&] {
    while (!over) {
      table->store(7, value_of(7));
      table->erase(7);
    }
  });
  size_t wrong = 0;
  for (int i = 0; i < 40; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      CookieMap::Value value{};
      const bool is_sound = table->empty() != table->find(7, value);
      table->erase(7);
      _exit(is_sound && table->empty() && table->store(7, value_of(8)) && holds(*table, 7, 8) ? 0 : 1);
    }
    int status = -1;
    wrong += waitpid(child, &status, 0) != child || status != 0;
  }
  over = true;
  writer.join();
  CHECK(wrong == 0);
}
