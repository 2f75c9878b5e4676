// SPDX-License-Identifier: MIT
// player <SCRIPT: makes the socket calls of a script, one per line, and prints the outcome of each, which must be the
// same with and without the shim. "fork" and "end" enclose the steps of a child, for which the parent waits.
#include "player.h"
#include "calls.h"
#include "text.h"
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <pthread.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace differential {
namespace {

constexpr int untouched = 4242; // an errno that no call sets
constexpr unsigned patience = 6;

volatile sig_atomic_t broken_pipes = 0;

thread_local bool is_cancelled = false; // this thread, at its next call

void note_broken_pipe(int) { broken_pipes = broken_pipes + 1; }

void hang(int) {
  constexpr char words[] = "never returned\n";
  if (write(STDOUT_FILENO, words, sizeof words - 1))
    _exit(3);
}

Words words_of(const std::string& line) {
  std::istringstream stream{line};
  Words words;
  for (std::string next; stream >> next;)
    words.push_back(next);
  return words;
}

std::string play_verb(const Words& words) {
  for (auto* kind : {play_socket_step, play_option_step, play_data_step, play_wait_step})
    if (std::string said = kind(words); !said.empty())
      return said;
  return "no such step";
}

// A step in a thread of its own.
struct Played {
  const Words& words;
  const bool is_cancelled;
  std::string outcome = "cancelled";
};

void* play_in_thread(void* argument) {
  auto& played = *static_cast<Played*>(argument);
  if (played.is_cancelled) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr); // until before_call()
    is_cancelled = true;
    pthread_cancel(pthread_self());
  }
  played.outcome = play_verb(played.words);
  return nullptr;
}

// generate.py explains these exceptions. They are repeated here because shrinking could produce such a sequence.
bool is_cancellation_point(const Words& words) {
  const Connection* it = slot(word(words, 1)).connection;
  if (!it)
    return true;
  if (words[0] == "connect")
    return it->phase == Phase::fresh && !it->kind[0];
  return it->phase == (words[0] == "accept" ? Phase::listening : Phase::connected);
}

std::string play_elsewhere(const Words& words, bool is_to_cancel) {
  if (is_to_cancel && !is_cancellation_point(words))
    return "not cancelled";
  Played played{words, is_to_cancel};
  pthread_t thread;
  if (pthread_create(&thread, nullptr, play_in_thread, &played) != 0)
    return "no thread";
  pthread_join(thread, nullptr);
  return played.outcome;
}

// A verb may begin with "raw.": by syscall(2); "thread.": by another thread; or "cancel.": by a thread that is
// cancelled when it makes the call.
std::string play(Words words) {
  const auto dot = words[0].find('.');
  const std::string how = dot == std::string::npos ? "" : words[0].substr(0, dot);
  words[0].erase(0, how.empty() ? 0 : dot + 1);
  if (how == "thread" || how == "cancel")
    return play_elsewhere(words, how == "cancel");
  calls::by_syscall = how == "raw";
  const std::string outcome = play_verb(words);
  calls::by_syscall = false;
  return outcome;
}

// The line after the "end" that matches the "fork" before `first`.
size_t end_of_block(const std::vector<std::string>& lines, size_t first) {
  int depth = 1;
  for (; first < lines.size() && depth > 0; ++first)
    depth += (lines[first] == "fork") - (lines[first] == "end");
  return first;
}

void play_all(const std::vector<std::string>& lines, size_t first, size_t last) {
  for (size_t i = first; i < last; ++i) {
    alarm(patience);
    if (lines[i] == "fork") {
      const size_t after = end_of_block(lines, i + 1);
      std::puts("fork -> ");
      std::fflush(stdout);
      const pid_t child = fork();
      if (child == 0) {
        play_all(lines, i + 1, after);
        _exit(0);
      }
      int status = 0;
      alarm(10 * patience);
      waitpid(child, &status, 0);
      std::printf("end -> the child's exit status is %d\n", status);
      i = after - 1;
    } else if (const Words words = words_of(lines[i]); !words.empty() && words[0][0] != '#' && words[0] != "end") {
      std::printf("%s -> ", lines[i].c_str());
      std::fflush(stdout);
      const sig_atomic_t before = broken_pipes;
      const std::string said = play(words);
      std::printf("%s%s\n", said.c_str(), before != broken_pipes ? " SIGPIPE" : "");
    }
    std::fflush(stdout);
  }
}

} // namespace

Slot& slot(const std::string& name) {
  static std::map<std::string, Slot> slots;
  return slots[name];
}

void before_call() {
  errno = untouched;
  if (is_cancelled)
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, nullptr);
}

std::string result(long returned) {
  const int error = errno;
  if (is_cancelled)
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, nullptr);
  if (returned < 0)
    return errno_name(error);
  return std::to_string(returned) + (error == untouched ? "" : " with errno " + errno_name(error));
}

std::string settled(const Slot& slot) {
  return slot.fd < 0 || !slot.connection || settle(slot.fd, *slot.connection) ? "" : " unsettled";
}

} // namespace differential

int main() {
  using namespace differential;
  struct sigaction pipe = {}, alarms = {};
  pipe.sa_handler = note_broken_pipe;
  pipe.sa_flags = SA_RESTART;
  alarms.sa_handler = hang;
  sigaction(SIGPIPE, &pipe, nullptr);
  sigaction(SIGALRM, &alarms, nullptr);
  read_partners();
  std::vector<std::string> lines;
  for (std::string line; std::getline(std::cin, line);)
    lines.push_back(line);
  play_all(lines, 0, lines.size());
}
