// SPDX-License-Identifier: MIT
// Files of names, for the tests of NameMap and SharedStore.
#pragma once
#include "names/name_map.h"
#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify::test {

using namespace std::literals;

inline constexpr uint32_t capacity = 8;

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

inline std::optional<uint32_t> number_of(SharedStore store, std::string_view name, uint32_t room = capacity) {
  if (!store || !store.lock(1000))
    return std::nullopt;
  return NameMap{store, room}.number_of(name);
}

inline std::string name_of(SharedStore store, uint32_t number, uint32_t room = capacity) {
  const auto name = NameMap{store, room}.name_of(number);
  return name ? std::string(name->view()) : "";
}

inline void touch(SharedStore store, uint32_t number) {
  REQUIRE(store.lock(1000));
  NameMap{store, capacity}.touch(number);
}

inline std::string numbered(int i) { return "host" + std::to_string(i) + ".example"; }

} // namespace socksify::test
