/* SPDX-License-Identifier: MIT */
/* preload-exec COMMAND [ARG...]: becomes COMMAND, as execvp(3) finds it, if the system will heed LD_PRELOAD there; else
   nothing runs and one line says why. The launcher's last step: a shell would have to read the program's headers byte
   by byte, which takes milliseconds. There is no C library in it, as to start one takes 0.4 ms, and all of this 0.05.
 */
#include <asm/unistd.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <stddef.h>
#include <unistd.h>

#if defined __x86_64__
enum { our_machine = EM_X86_64, other_machine = EM_386 };
__asm__(".globl _start\n_start: xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call begin\n");
static long kernel(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
  __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return number;
}
#elif defined __aarch64__
enum { our_machine = EM_AARCH64, other_machine = EM_NONE };
__asm__(".globl _start\n_start: mov x29, #0\n mov x0, sp\n bl begin\n");
static long kernel(long number, long a, long b, long c, long d, long e) {
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                   x3 __asm__("x3") = d, x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}
#else
#error "the entry and the system calls of this architecture are to be written"
#endif

enum { our_failure = 125, cannot_run = 126, not_found = 127 }; /* as env(1) has them */

static const char* program; /* what the messages are about */
static char* interpreter;
static long user, group;
static int has_both_sizes; /* of the library */

static void say(const char* text) {
  size_t length = 0;
  for (const volatile char* c = text; *c; c++) /* volatile: or the compiler calls strlen() */
    length++;
  kernel(__NR_write, 2, (long)text, (long)length, 0, 0);
}

__attribute__((noreturn)) static void fail(int status, const char* reason) {
  say("socksify: ");
  say(program);
  if (interpreter) {
    say(": its interpreter ");
    say(interpreter);
  }
  say(reason);
  say("\n");
  for (;;)
    kernel(__NR_exit_group, status, 0, 0, 0, 0);
}

static long read_at(long fd, void* into, size_t size, unsigned long offset) {
  return kernel(__NR_pread64, fd, (long)into, (long)size, (long)offset, 0);
}

union header {
  Elf64_Ehdr elf;
  Elf32_Ehdr elf32;
  char text[257];
};

/* Where in the file the name of the dynamic linker is, if this header of the program asks for one; else 0. */
static unsigned long linker_by(long fd, const union header* header, unsigned long number) {
  Elf64_Phdr segment;
  Elf32_Phdr segment32;
  if (header->elf.e_ident[EI_CLASS] == ELFCLASS32)
    return read_at(fd, &segment32, sizeof segment32, header->elf32.e_phoff + number * sizeof segment32) ==
                       sizeof segment32 &&
                   segment32.p_type == PT_INTERP
               ? segment32.p_offset
               : 0;
  return read_at(fd, &segment, sizeof segment, header->elf.e_phoff + number * sizeof segment) == sizeof segment &&
                 segment.p_type == PT_INTERP
             ? segment.p_offset
             : 0;
}

/* "/lib/ld-musl-x86_64.so.1": it would look in vain for what the GNU C library alone has. */
static int is_musl(long fd, unsigned long place) {
  static char name[64];
  read_at(fd, name, sizeof name - 1, place);
  for (const char* c = name; *c; c++)
    if (c[0] == 'l' && c[1] == 'd' && c[2] == '-' && c[3] == 'm' && c[4] == 'u')
      return 1;
  return 0;
}

/* The kernel starts no dynamic linker where no header asks for one. */
static void check_elf(long fd, const union header* header) {
  const int is_32 = header->elf.e_ident[EI_CLASS] == ELFCLASS32;
  const unsigned long count = is_32 ? header->elf32.e_phnum : header->elf.e_phnum;
  unsigned long linker = 0;
  if (is_32 ? !has_both_sizes || header->elf32.e_machine != other_machine : header->elf.e_machine != our_machine)
    fail(our_failure, " is for another kind of processor than the library");
  for (unsigned long i = 0; i < count && !linker; i++)
    linker = linker_by(fd, header, i);
  if (!linker)
    fail(our_failure, " is statically linked: LD_PRELOAD has no effect on it");
  if (is_musl(fd, linker))
    fail(our_failure, " is for the C library musl, the library for the GNU one");
}

/* Where the mode changes the user or the group, or capabilities are gained, the dynamic linker ignores LD_PRELOAD. */
static void check_privileges(const char* path) {
  struct statx status;
  if (kernel(__NR_statx, AT_FDCWD, (long)path, 0, STATX_BASIC_STATS, (long)&status) != 0)
    return;
  const int mode = status.stx_mode, set_group = S_ISGID | S_IXGRP;
  if (((mode & S_ISUID) && status.stx_uid != user) || ((mode & set_group) == set_group && status.stx_gid != group))
    fail(our_failure, " is set-user-ID or set-group-ID: the system ignores LD_PRELOAD for it");
  if (user != 0 && kernel(__NR_getxattr, (long)path, (long)"security.capability", 0, 0, 0) > 0)
    fail(our_failure, " has capabilities: the system ignores LD_PRELOAD for it");
}

/* Cuts the path out of "#! /path argument". */
static char* interpreter_in(char* line) {
  char *path = line + 2, *end;
  while (*path == ' ' || *path == '\t')
    path++;
  for (end = path; *end && *end != ' ' && *end != '\t' && *end != '\n';)
    end++;
  *end = '\0';
  return path;
}

/* The kernel takes the carriage return of "#!/bin/sh\r\n" for a part of the name; a terminal would not show it. */
__attribute__((noreturn)) static void fail_without(char* file) {
  char* end = file;
  while (*end && *end != '\r')
    end++;
  const int has_return = *end == '\r';
  *end = '\0';
  fail(not_found, has_return ? "\\r does not exist: the line ends with a carriage return" : " does not exist");
}

/* A script is as good as its interpreter; that the script is set-user-ID means nothing. */
static void check(const char* path) {
  static union header beginning[2];
  char* text = beginning[interpreter != NULL].text;
  const long fd = kernel(__NR_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0);
  const long size = read_at(fd, text, 256, 0); /* what may only be executed hides what it is */
  if (interpreter && fd == -ENOENT)
    fail_without(interpreter);
  if (size > SELFMAG && text[0] == ELFMAG0 && text[1] == 'E' && text[2] == 'L' && text[3] == 'F')
    check_elf(fd, &beginning[interpreter != NULL]);
  if (size < 2 || text[0] != '#' || text[1] != '!')
    check_privileges(path);
  else if (!interpreter)
    check(interpreter = interpreter_in(text));
}

/* Is it a program? If there is something else of this name, that is remembered for the message. */
static int is_program(const char* path) {
  struct statx status;
  const long error = kernel(__NR_statx, AT_FDCWD, (long)path, 0, STATX_TYPE, (long)&status);
  if (error == -ENOENT || error == -ENOTDIR)
    return 0;
  program = path;
  return error == 0 && (status.stx_mode & S_IFMT) == S_IFREG &&
         kernel(__NR_faccessat, AT_FDCWD, (long)path, X_OK, 0, 0) == 0;
}

/* Looks for it in PATH, where an empty part means here. */
static int find_program(const char* name, const char* path) {
  static char candidate[2][PATH_MAX]; /* the second is for what comes after an obstacle */
  for (const char* c = name; *c; c++)
    if (*c == '/')
      return is_program(name);
  for (int more = *name != '\0'; more;) {
    char *end = candidate[program != NULL], *const limit = end + PATH_MAX - 2;
    while (*path && *path != ':' && end < limit)
      *end++ = *path++;
    if (end == candidate[program != NULL])
      *end++ = '.';
    *end++ = '/';
    for (const char* c = name; *c && end <= limit; c++)
      *end++ = *c;
    *end = '\0';
    if (end <= limit && is_program(candidate[program != NULL]))
      return 1;
    more = *path == ':';
    path += more;
  }
  return 0;
}

/* The value, if this is the variable. */
static const char* value_of(const char* variable, const char* name) {
  while (*name && *variable == *name)
    variable++, name++;
  return *name || *variable != '=' ? NULL : variable + 1;
}

/* Where there is a library for each word size, the launcher leaves it to the dynamic linker which: PREFIX/$LIB/... */
static int names_both_sizes(const char* preload) {
  for (; *preload && *preload != ':'; preload++)
    if (preload[0] == '$' && preload[1] == 'L' && preload[2] == 'I' && preload[3] == 'B')
      return 1;
  return 0;
}

__attribute__((noreturn, used)) static void begin(long* stack) {
  const char **arguments = (const char**)(stack + 1), **environment = arguments + stack[0] + 1, **end = environment;
  const char* path = "/bin:/usr/bin";
  for (; *end; end++) {
    const char *value = value_of(*end, "PATH"), *preload = value_of(*end, "LD_PRELOAD");
    path = value ? value : path;
    has_both_sizes |= preload && names_both_sizes(preload);
  }
  for (const Elf64_auxv_t* fact = (const Elf64_auxv_t*)(end + 1); fact->a_type != AT_NULL; fact++) {
    if (fact->a_type == AT_UID)
      user = (long)fact->a_un.a_val;
    if (fact->a_type == AT_GID)
      group = (long)fact->a_un.a_val;
  }
  const char* const command = arguments[1];
  if (!find_program(command ? command : "", path)) {
    const int status = program ? cannot_run : not_found;
    program = program ? program : command ? command : "";
    fail(status, status == cannot_run ? ": not an executable file" : ": no such command");
  }
  check(program);
  interpreter = NULL;
  long error = kernel(__NR_execve, (long)program, (long)(arguments + 1), (long)environment, 0, 0);
  if (error == -ENOEXEC) { /* a shell script without a first line that says so, as for execvp(3) */
    arguments[0] = "/bin/sh";
    arguments[1] = program;
    error = kernel(__NR_execve, (long)arguments[0], (long)arguments, (long)environment, 0, 0);
  }
  fail(error == -ENOENT ? not_found : cannot_run, error == -ENOENT  ? ": its dynamic linker does not exist"
                                                  : error == -E2BIG ? ": the argument list is too long"
                                                                    : ": the system cannot execute it");
}
