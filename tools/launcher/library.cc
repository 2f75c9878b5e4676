// SPDX-License-Identifier: MIT
#include "launcher/library.h"
#include "launcher/files.h"
#include "launcher/kernel.h"
#include "launcher/say.h"
#include "launcher/start_facts.h"
#include "launcher/variables.h"
#include <linux/limits.h>

namespace socksify::launcher {
namespace {

constexpr std::string_view name = "/libsocksify.so";

std::string_view folder_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? "." : std::string_view{path.data(), slash};
}

// Installed it is in PREFIX/lib/socksify, for PREFIX/bin; else where make leaves both. Null: nowhere.
const char* find_beside(const char* program) {
  const auto home = folder_of(program);
  for (const std::string_view way : {"/../lib/socksify", ""})
    if (const char* const path = join({home, way, name}); files::is_readable(path))
      return path;
  return nullptr;
}

const char* find_for(const char* program) {
  if (const char* const path = find_beside(program))
    return path;
  // By way of a symbolic link.
  if (const char* const own = files::target_of("/proc/self/exe"))
    if (const char* const path = find_beside(own))
      return path;
  fail(our_failure, {"libsocksify.so is missing: neither beside ", program, " nor in ../lib/socksify from there"});
}

// In the place of $LIB, the dynamic linker of each word size puts a name of its own.
std::string_view for_both_sizes(std::string_view folder, std::string_view path) {
  return files::exists(join({folder, "/lib32", name})) ? join({folder, "/$LIB", name}) : path;
}

} // namespace

const char* make_absolute(const char* path) {
  static char here[PATH_MAX];
  if (*path == '/')
    return path;
  // "(unreachable)" comes before a path that is not below the root, getcwd(2).
  if (kernel::call(__NR_getcwd, here, sizeof here) < 0 || *here != '/')
    fail(our_failure, {path, ": the current directory has no path"});
  return join({here, "/", path});
}

Library find_library(char** environment) {
  const char* const chosen = variables::find("SOCKSIFY_LIBRARY");
  const bool is_chosen = chosen && *chosen;
  if (is_chosen && !files::is_readable(chosen))
    fail(our_failure, {"SOCKSIFY_LIBRARY: '", chosen, "' is not there, or not readable"});
  // The program may change its directory and start others.
  const std::string_view path = make_absolute(is_chosen ? chosen : find_for(StartFacts(environment).path));
  if (path.find_first_of(" :$") != path.npos)
    fail(our_failure,
         {"'", path, "' cannot be preloaded: LD_PRELOAD takes no path with a blank or a colon or a $ in it"});

  Library library{.folder = folder_of(path)};
  const auto others = variables::value("LD_PRELOAD");
  library.preload = join({is_chosen ? path : for_both_sizes(library.folder, path), others.empty() ? "" : ":", others});
  // A link where SYSCONFDIR is another one, see tools/install.sh.
  const char* const link = is_chosen ? nullptr : files::target_of(join({library.folder, "/socksify.conf"}));
  library.system_settings = link ? link : "/etc/socksify.conf";
  return library;
}

} // namespace socksify::launcher
