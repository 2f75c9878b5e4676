// SPDX-License-Identifier: MIT
// The exported functions that start programs. The new program gets the environment that it is given, completed by what
// makes it load the library. A program that could not load it is refused. (The shell that system() and popen() start
// gets the environment of this process as it is.)
#include "config/config.h"
#include "kernel/fork.h"
#include "kernel/mapping.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include "process/environment.h"
#include "process/exec_check.h"
#include "process/exec_state.h"
#include "sockets/registry.h"
#include <alloca.h>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <spawn.h>
#include <unistd.h>

using namespace socksify;
using exec_check::Sanitizer;

namespace {

// A thread or a signal handler may have a stack of a few KiB, so that more than this goes into a mapping, which is
// freed if exec fails. A child of vfork() would leave its mapping to the parent: it uses the stack, as the C library's
// execvpe() does.
constexpr size_t most_on_stack = 1024;
constexpr size_t most_on_parents_stack = 256 * 1024;

size_t stack_limit() { return getpid() == forks::own_pid() ? most_on_stack : most_on_parents_stack; }

// Calls exec(environment) with the completed environment.
template <typename Exec> int with_environment(char* const* wanted, const environment::Additions& additions, Exec exec) {
  const auto room = environment::size_for(wanted, additions);
  if (room.entries == 0)
    return exec(wanted);
  const size_t size = room.entries * sizeof(char*) + room.bytes;
  void* on_stack = size > stack_limit() ? nullptr : alloca(size);
  const Scratch memory{on_stack, size};
  if (!memory.get())
    return exec(wanted); // fails with E2BIG: the kernel rejects an environment of this size
  auto** entries = static_cast<char**>(memory.get());
  return exec(environment::complete(wanted, additions, entries, reinterpret_cast<char*>(entries + room.entries)));
}

template <typename Exec>
[[gnu::noinline]] int with_state(char* const* wanted, const Sanitizer& sanitizer, bool spawns, Exec exec) {
  void* on_stack = sizeof(exec_state::Entry) > stack_limit() ? nullptr : alloca(sizeof(exec_state::Entry));
  const Scratch memory{on_stack, sizeof(exec_state::Entry)};
  if (!memory.get())
    return with_environment(wanted, {nullptr, sanitizer.view()}, exec);
  auto& entry = *new (memory.get()) exec_state::Entry;
  const char* const state = exec_state::write(entry, spawns) ? entry.c_str() : nullptr;
  return with_environment(wanted, {state, sanitizer.view()}, exec);
}

template <typename Exec> int completed(char* const* wanted, const Sanitizer& sanitizer, bool spawns, Exec exec) {
  if (!config().active || (wanted && !is_readable(wanted)))
    return exec(wanted);
  if (!sockets::empty())
    return with_state(wanted, sanitizer, spawns, exec);
  return with_environment(wanted, {nullptr, sanitizer.view()}, exec);
}

int exec_path(const char* path, char* const* arguments, char* const* wanted) {
  Sanitizer sanitizer;
  if (!exec_check::allows({AT_FDCWD, path}, wanted, sanitizer))
    return -1;
  return completed(wanted, sanitizer, false, [&](char* const* all) { return REAL(execve)(path, arguments, all); });
}

int exec_file(const char* file, char* const* arguments, char* const* wanted) {
  Sanitizer sanitizer;
  if (!exec_check::allows_file(file, wanted, sanitizer))
    return -1;
  return completed(wanted, sanitizer, false, [&](char* const* all) { return REAL(execvpe)(file, arguments, all); });
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
  Sanitizer sanitizer;
  if (!exec_check::allows({fd, "", true}, wanted, sanitizer))
    return -1;
  return completed(wanted, sanitizer, false, [&](char* const* all) { return REAL(fexecve)(fd, arguments, all); });
}

HOOK int execveat(int directory, const char* path, char* const* arguments, char* const* wanted, int flags) noexcept {
  const bool is_descriptor = flags & AT_EMPTY_PATH && is_readable(path) && !*path;
  Sanitizer sanitizer;
  if (!exec_check::allows({directory, path, is_descriptor}, wanted, sanitizer))
    return -1;
  return completed(wanted, sanitizer, false,
                   [&](char* const* all) { return REAL(execveat)(directory, path, arguments, all, flags); });
}

HOOK int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                     const posix_spawnattr_t* attributes, char* const* arguments, char* const* wanted) {
  Sanitizer sanitizer;
  if (!exec_check::allows({AT_FDCWD, path}, wanted, sanitizer))
    return EACCES;
  return completed(wanted, sanitizer, true,
                   [&](char* const* all) { return REAL(posix_spawn)(pid, path, actions, attributes, arguments, all); });
}

HOOK int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                      const posix_spawnattr_t* attributes, char* const* arguments, char* const* wanted) {
  Sanitizer sanitizer;
  if (!exec_check::allows_file(file, wanted, sanitizer))
    return EACCES;
  return completed(wanted, sanitizer, true, [&](char* const* all) {
    return REAL(posix_spawnp)(pid, file, actions, attributes, arguments, all);
  });
}

HOOK int system(const char* command) {
  Sanitizer unused;
  if (command && !exec_check::allows({AT_FDCWD, "/bin/sh"}, environ, unused))
    return -1;
  return REAL(system)(command);
}
HOOK int __libc_system(const char* command) __attribute__((alias("system")));

HOOK FILE* popen(const char* command, const char* mode) {
  Sanitizer sanitizer;
  if (!exec_check::allows({AT_FDCWD, "/bin/sh"}, environ, sanitizer))
    return nullptr;
  return REAL(popen)(command, mode);
}
