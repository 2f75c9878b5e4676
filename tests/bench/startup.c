/* SPDX-License-Identifier: MIT */
/* startup COUNT [NAME=VALUE...] COMMAND [ARG...] -- [NAME=VALUE...] COMMAND...: runs the commands in turn, COUNT times.
   Prints for each command but the first what it takes more than that one, in microseconds: from start to end, and of
   CPU time. */
#include "socks.h"
#include <spawn.h>
#include <sys/wait.h>

enum { MOST_COMMANDS = 16, MOST_VARIABLES = 256, MOST_RUNS = 10000 };
extern char** environ;

struct cost {
  double time, cpu;
};

static struct command {
  char *environment[MOST_VARIABLES], **arguments;
  double time[MOST_RUNS], cpu[MOST_RUNS]; /* more than the first command of the same turn */
} commands[MOST_COMMANDS];

static void read_command(char** words, struct command* command) {
  char** variable = command->environment;
  for (char** inherited = environ; *inherited; ++inherited)
    *variable++ = *inherited;
  for (; *words && strchr(*words, '='); ++words)
    *variable++ = *words;
  command->arguments = words;
}

static struct cost run(const struct command* command) {
  const char* program = command->arguments[0];
  pid_t pid;
  int status = -1;
  struct rusage used;
  double began = now_us();
  expect(posix_spawn(&pid, program, NULL, NULL, command->arguments, (char**)command->environment) == 0, program);
  expect(wait4(pid, &status, 0, &used) == pid && status == 0, program);
  return (struct cost){now_us() - began, cpu_of(&used)};
}

int main(int argc, char** argv) {
  expect(argc > 2, "arguments");
  int runs = atoi(argv[1]), count = 0;
  expect(runs <= MOST_RUNS, "COUNT");
  for (char **word = argv + 2, **end = word; word; word = end) {
    while (*end && strcmp(*end, "--") != 0)
      ++end;
    int is_last = !*end;
    *end = NULL;
    end = is_last ? NULL : end + 1;
    expect(count < MOST_COMMANDS, "commands");
    read_command(word, &commands[count++]);
  }
  for (int i = 0; i < runs; ++i) {
    struct cost first = run(&commands[0]);
    for (int c = 1; c < count; ++c) {
      struct cost this = run(&commands[c]);
      commands[c].time[i] = this.time - first.time;
      commands[c].cpu[i] = this.cpu - first.cpu;
    }
  }
  for (int c = 1; c < count; ++c)
    printf("%f %f ", median(commands[c].time, runs), median(commands[c].cpu, runs));
  puts("");
}
