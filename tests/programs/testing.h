/* SPDX-License-Identifier: MIT */
/* Tests that register themselves:

     TEST(addition) { EXPECT_INT(1 + 1, 2); }
     TEST_EACH(readiness, way, ways) { EXPECT_INT(way->wait(fd), 1); }

   TEST_EACH makes one test of each element of the array `ways`, named WAY.readiness after the element's first member.

     PROGRAM                              runs all tests, each in a process of its own
     PROGRAM NAME...                      runs these; a single one in the program's own process
     PROGRAM list                         prints the names
     PROGRAM into FOLDER JOBS [NAME...]   runs all or these, JOBS at a time; the output of each goes to FOLDER/NAME

   A test ends with "ok NAME" or "not ok NAME". Before that stand its facts (see net.h) and its failed expectations,
   each with file, line and values. */
#pragma once
#include "net.h"

struct test {
  const char* name;
  void (*run)(const void* way);
  const void* ways; /* NULL: a single test */
  size_t way_size, way_count;
};

/* The linker collects the tests of all files of a program in one section. */
extern const struct test* const __start_tests[];
extern const struct test* const __stop_tests[];

#define REGISTER(id, ways, way_size, way_count)                                                                        \
  static const struct test registered_##id = {#id, run_##id, ways, way_size, way_count};                               \
  static const struct test* const entry_##id __attribute__((section("tests"), used)) = &registered_##id;

#define TEST(id)                                                                                                       \
  static void test_##id(void);                                                                                         \
  static void run_##id(const void* way) {                                                                              \
    (void)way;                                                                                                         \
    test_##id();                                                                                                       \
  }                                                                                                                    \
  REGISTER(id, NULL, 0, 1)                                                                                             \
  static void test_##id(void)

#define TEST_EACH(id, way, ways)                                                                                       \
  static void test_##id(__typeof__(&(ways)[0]) way);                                                                   \
  static void run_##id(const void* element) { test_##id(element); }                                                    \
  REGISTER(id, ways, sizeof *(ways), sizeof(ways) / sizeof *(ways))                                                    \
  static void test_##id(__typeof__(&(ways)[0]) way)

/* Weak, because every file of a program defines it and all mean the same one. */
__attribute__((weak)) int failed_expectations;

#define EXPECT(condition) expect(__FILE__, __LINE__, #condition, (condition) ? "true" : "false", "true")
#define EXPECT_INT(actual, expected) expect_int(__FILE__, __LINE__, #actual, actual, expected)
#define EXPECT_TEXT(actual, expected) expect(__FILE__, __LINE__, #actual, actual, expected)
/* For calls that return -1 and set errno. */
#define EXPECT_OK(call) expect(__FILE__, __LINE__, #call, result(call), "ok")
#define EXPECT_ERROR(call, error) expect(__FILE__, __LINE__, #call, result(call), #error)

static inline void expect(const char* file, int line, const char* what, const char* actual, const char* expected) {
  if (strcmp(actual, expected) == 0)
    return;
  ++failed_expectations;
  fact("%s:%d: %s: %s, expected %s", file, line, what, actual, expected);
}

static inline void expect_int(const char* file, int line, const char* what, long long actual, long long expected) {
  char texts[2][24];
  snprintf(texts[0], sizeof *texts, "%lld", actual);
  snprintf(texts[1], sizeof *texts, "%lld", expected);
  expect(file, line, what, texts[0], texts[1]);
}

struct one_test {
  char name[80];
  const struct test* test;
  const void* way;
};

static inline int run_here(const struct one_test* one) {
  one->test->run(one->way);
  fact("%s %s", failed_expectations ? "not ok" : "ok", one->name);
  return failed_expectations != 0;
}

static inline int run_in_child(const struct one_test* one) {
  int status;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0)
    _exit(run_here(one));
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    fact("not ok %s: %s", one->name, strsignal(WTERMSIG(status)));
  return status != 0;
}

static const char* folder;
static int free_jobs;

static inline void write_to_file_of(const char* name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
    die(path);
  close(fd);
}

/* Whether it succeeds is to be read in the file. */
static inline int start_child(const struct one_test* one) {
  if (free_jobs > 0)
    --free_jobs;
  else
    wait(NULL);
  pid_t child = fork();
  if (child < 0)
    die("fork");
  if (child == 0) {
    write_to_file_of(one->name);
    _exit(run_here(one));
  }
  return 0;
}

static inline int print_name(const struct one_test* one) { return puts(one->name) < 0; }

static inline int is_wanted(const char* name, int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (strcmp(argv[i], name) == 0)
      return 1;
  return argc < 2;
}

/* How many of the wanted tests exist; adds the failed ones to *failed. */
static inline int for_each_test(int argc, char** argv, int (*act)(const struct one_test*), int* failed) {
  int count = 0;
  for (const struct test* const* test = __start_tests; test < __stop_tests; ++test)
    for (size_t i = 0; i < (*test)->way_count; ++i) {
      struct one_test one = {.test = *test, .way = (const char*)(*test)->ways + i * (*test)->way_size};
      const char* way = (*test)->ways ? *(const char* const*)one.way : "";
      snprintf(one.name, sizeof one.name, "%s%s%s", way, *way ? "." : "", (*test)->name);
      if (is_wanted(one.name, argc, argv)) {
        *failed += act(&one);
        ++count;
      }
    }
  return count;
}

/* `words` begins with FOLDER, which stands where for_each_test() expects the name of the program. */
static inline int run_into_folder(int count, char** words) {
  int failed = 0;
  folder = words[0], free_jobs = atoi(words[1]);
  words[1] = words[0];
  int found = for_each_test(count - 1, words + 1, start_child, &failed);
  while (wait(NULL) > 0)
    ;
  return found == 0;
}

static inline int run_tests(int argc, char** argv) {
  int failed = 0;
  signal(SIGPIPE, SIG_IGN);
  if (argc > 3 && strcmp(argv[1], "into") == 0)
    return run_into_folder(argc - 2, argv + 2);
  if (argc == 2 && strcmp(argv[1], "list") == 0)
    return for_each_test(1, argv, print_name, &failed) == 0;
  if (for_each_test(argc, argv, argc == 2 ? run_here : run_in_child, &failed) == 0)
    fact("no such test: %s", argc > 1 ? argv[1] : "");
  else
    return failed != 0;
  return 2;
}

/* Weak for the same reason: no program needs to write it. */
__attribute__((weak)) int main(int argc, char** argv) { return run_tests(argc, argv); }
