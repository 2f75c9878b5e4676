// SPDX-License-Identifier: MIT
#include "process/own_library.h"
#include "base/fd.h"
#include <atomic>
#include <cstring>
#include <dlfcn.h>
#include <unistd.h>

namespace socksify::own_library {
namespace {

constinit std::atomic<const char*> known_path{nullptr};

std::string_view base_name() {
  const char* const file = path();
  const char* const slash = file ? std::strrchr(file, '/') : nullptr;
  return slash ? slash + 1 : file ? file : "";
}

bool is_named(std::string_view entry, std::string_view name) {
  const bool is_whole =
      entry.size() == name.size() || (entry.size() > name.size() && entry[entry.size() - name.size() - 1] == '/');
  return is_whole && entry.ends_with(name);
}

} // namespace

const char* path() {
  const char* file = known_path.load(std::memory_order_relaxed);
  Dl_info info{};
  if (!file && dladdr(reinterpret_cast<void*>(&path), &info))
    known_path.store(file = info.dli_fname, std::memory_order_relaxed);
  return file;
}

bool can_be_opened() {
  const KeepErrno keep;
  const char* const file = path();
  return !file || access(file, R_OK) == 0 || !is_absent(errno);
}

size_t end_in(std::string_view list) {
  const auto name = base_name();
  if (name.empty())
    return 0;
  for (size_t at = 0; at < list.size();) {
    size_t end = list.find_first_of(": ", at);
    end = end == list.npos ? list.size() : end;
    if (is_named({list.data() + at, end - at}, name))
      return end;
    at = end + 1;
  }
  return 0;
}

} // namespace socksify::own_library
