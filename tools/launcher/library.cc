// SPDX-License-Identifier: MIT
#include "launcher/library.h"
#include "base/executable/program.h"
#include "launcher/environment.h"
#include "launcher/error.h"
#include <limits.h>
#include <sys/auxv.h>
#include <unistd.h>

namespace socksify::launcher {
namespace {

constexpr std::string_view library_name = "/libsocksify.so";

std::string folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == path.npos ? "." : path.substr(0, slash));
}

// Empty if it is no symbolic link.
std::string target_of(const std::string& link) {
  char target[PATH_MAX];
  const ssize_t length = ::readlink(link.c_str(), target, sizeof target);
  return {target, length < 0 ? 0 : static_cast<size_t>(length)};
}

std::string library_beside(std::string_view program) { return join({folder_of(program), library_name}); }

// The path that started us may be a symbolic link: then the library is beside the program that it leads to.
std::string find_beside_us() {
  const auto started_by = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  const std::string_view path = started_by ? started_by : "socksify-exec";
  if (auto library = library_beside(path); ::access(library.c_str(), R_OK) == 0)
    return library;
  if (auto library = library_beside(target_of("/proc/self/exe")); ::access(library.c_str(), R_OK) == 0)
    return library;
  fail({"libsocksify.so is missing beside ", path});
}

// The program may change its directory and start others, so the path has to be absolute.
std::string make_absolute(const std::string& path) {
  char here[PATH_MAX];
  if (path.starts_with('/'))
    return path;
  // getcwd(2): a path that is not below the root begins with "(unreachable)".
  if (!::getcwd(here, sizeof here) || *here != '/')
    fail({path, ": the current directory has no path"});
  return join({here, "/", path});
}

// The dynamic linker replaces $LIB, by a different name for each word size.
std::string for_both_sizes(const std::string& folder, const std::string& path) {
  return ::access(join({folder, "/lib32", library_name}).c_str(), F_OK) == 0 ? join({folder, "/$LIB", library_name})
                                                                             : path;
}

// The library comes first, but after the runtime of a sanitizer that the user preloads.
std::string preload_with(const std::string& path, std::string_view others) {
  const auto [first, rest, found] = split_at(others, others.find_first_of(": "));
  if (names_sanitizer(first.substr(first.rfind('/') + 1)))
    return join({first, ":", path, rest.empty() ? "" : ":", rest});
  return join({path, others.empty() ? "" : ":", others});
}

} // namespace

Library find_library() {
  const std::string chosen{variable("SOCKSIFY_LIBRARY")};
  const bool is_chosen = !chosen.empty();
  if (is_chosen && ::access(chosen.c_str(), R_OK) != 0)
    fail({"SOCKSIFY_LIBRARY: '", chosen, "' does not exist, or cannot be read"});
  const auto path = make_absolute(is_chosen ? chosen : find_beside_us());
  if (path.find_first_of(" :$") != path.npos)
    fail({"'", path, "' cannot be preloaded: LD_PRELOAD takes no path with a blank, a colon or a $"});

  Library library;
  library.folder = folder_of(path);
  const auto others = variable("LD_PRELOAD");
  library.preload = preload_with(is_chosen ? path : for_both_sizes(library.folder, path), others);
  // tools/install/install.sh leaves a link if SYSCONFDIR is not /etc.
  const auto link = is_chosen ? "" : target_of(library.folder + "/socksify.conf");
  library.system_settings = link.empty() ? "/etc/socksify.conf" : link;
  return library;
}

std::string helper(const Library& library, const char* name) {
  const auto path = join({library.folder, "/", name});
  if (::access(path.c_str(), X_OK) != 0)
    fail({name, " is missing beside ", library.folder, library_name});
  return path;
}

} // namespace socksify::launcher
