// SPDX-License-Identifier: MIT
// The exported functions that start programs: with the environment that the program wants, but never without what makes
// the library part of it. (What the C library starts itself, by system() and popen(), gets the environment of this
// process as it is.)
#include "config/config.h"
#include "kernel/mapping.h"
#include "kernel/real.h"
#include "process/environment.h"
#include "process/exec_state.h"
#include <alloca.h>
#include <cstdarg>
#include <spawn.h>
#include <unistd.h>

using namespace socksify;

namespace {

// Like the C library's own execvpe(), on the stack: a child of vfork() has its parent's heap. What is too long for any
// stack is memory that a failing exec gives back.
constexpr size_t most_on_stack = 256 * 1024;

// Calls exec(environment) with all that has to be in there.
template <typename Exec> int completed(char* const* wanted, bool spawns, Exec exec) {
  if (!config().active)
    return exec(wanted);
  exec_state::Entry entry;
  const char* state = exec_state::write(entry, spawns) ? entry.c_str() : nullptr;
  const auto room = environment::size_for(wanted, state);
  if (room.entries == 0)
    return exec(wanted);
  const size_t size = room.entries * sizeof(char*) + room.bytes;
  void* on_stack = size > most_on_stack ? nullptr : alloca(size);
  const Scratch memory{on_stack, size};
  if (!memory.get())
    return exec(wanted); // E2BIG: the kernel takes no environment of that length
  auto** entries = static_cast<char**>(memory.get());
  return exec(environment::complete(wanted, state, entries, reinterpret_cast<char*>(entries + room.entries)));
}

int exec_path(const char* path, char* const* arguments, char* const* wanted) {
  return completed(wanted, false, [&](char* const* all) { return REAL(execve)(path, arguments, all); });
}

int exec_file(const char* file, char* const* arguments, char* const* wanted) {
  return completed(wanted, false, [&](char* const* all) { return REAL(execvpe)(file, arguments, all); });
}

size_t count_arguments(va_list rest) {
  size_t count = 1;
  while (va_arg(rest, char*))
    ++count;
  return count + 1;
}

void copy_arguments(char** to, const char* first, va_list rest) {
  *to = const_cast<char*>(first);
  while (*to++)
    *to = va_arg(rest, char*);
}

} // namespace

// The arguments from `first` to a null as an array on the caller's stack, and what comes after them in `rest`.
#define COLLECT(arguments, first, rest)                                                                                \
  va_list rest;                                                                                                        \
  va_start(rest, first);                                                                                               \
  auto** arguments = static_cast<char**>(alloca(count_arguments(rest) * sizeof(char*)));                               \
  va_end(rest);                                                                                                        \
  va_start(rest, first);                                                                                               \
  copy_arguments(arguments, first, rest)

HOOK int execve(const char* path, char* const* arguments, char* const* wanted) noexcept {
  return exec_path(path, arguments, wanted);
}

HOOK int execv(const char* path, char* const* arguments) noexcept { return exec_path(path, arguments, environ); }

HOOK int execvp(const char* file, char* const* arguments) noexcept { return exec_file(file, arguments, environ); }

HOOK int execvpe(const char* file, char* const* arguments, char* const* wanted) noexcept {
  return exec_file(file, arguments, wanted);
}

HOOK int execl(const char* path, const char* first, ...) noexcept {
  COLLECT(arguments, first, rest);
  va_end(rest);
  return exec_path(path, arguments, environ);
}

HOOK int execlp(const char* file, const char* first, ...) noexcept {
  COLLECT(arguments, first, rest);
  va_end(rest);
  return exec_file(file, arguments, environ);
}

HOOK int execle(const char* path, const char* first, ...) noexcept {
  COLLECT(arguments, first, rest);
  char* const* wanted = va_arg(rest, char* const*);
  va_end(rest);
  return exec_path(path, arguments, wanted);
}

HOOK int fexecve(int fd, char* const* arguments, char* const* wanted) noexcept {
  return completed(wanted, false, [&](char* const* all) { return REAL(fexecve)(fd, arguments, all); });
}

HOOK int execveat(int directory, const char* path, char* const* arguments, char* const* wanted, int flags) noexcept {
  return completed(wanted, false,
                   [&](char* const* all) { return REAL(execveat)(directory, path, arguments, all, flags); });
}

HOOK int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                     const posix_spawnattr_t* attributes, char* const* arguments, char* const* wanted) {
  return completed(wanted, true,
                   [&](char* const* all) { return REAL(posix_spawn)(pid, path, actions, attributes, arguments, all); });
}

HOOK int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                      const posix_spawnattr_t* attributes, char* const* arguments, char* const* wanted) {
  return completed(wanted, true, [&](char* const* all) {
    return REAL(posix_spawnp)(pid, file, actions, attributes, arguments, all);
  });
}
