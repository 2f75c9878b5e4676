// SPDX-License-Identifier: MIT
#include "check/output.h"
#include "base/fd.h"
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace socksify::check {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds limit{10};

[[noreturn]] void become(const std::vector<std::string>& words, const std::string& preload, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<char*> arguments;
  for (const auto& word : words)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO), ::dup2(output, STDOUT_FILENO), ::dup2(output, STDERR_FILENO);
  ::setenv("LD_PRELOAD", preload.c_str(), true);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

bool wait_until(int fd, Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd one{fd, POLLIN, 0};
  return left > 0 && ::poll(&one, 1, static_cast<int>(left)) > 0;
}

int or_throw(const char* call, int result) {
  if (result < 0)
    throw std::system_error(errno, std::generic_category(), call);
  return result;
}

// All that comes until the time is over.
std::string read_until(int fd, Clock::time_point end) {
  std::string text;
  std::array<char, 4096> bytes;
  for (ssize_t length = 1; length > 0 && wait_until(fd, end);)
    if ((length = ::read(fd, bytes.data(), bytes.size())) > 0)
      text.append(bytes.data(), static_cast<size_t>(length));
  return text;
}

} // namespace

Output output_of(const std::vector<std::string>& words, const std::string& preload) {
  int ends[2];
  or_throw("pipe", ::pipe2(ends, O_CLOEXEC));
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t pid = or_throw("fork", ::fork());
  if (pid == 0)
    become(words, preload, writer.get());
  writer.reset();
  const auto end = Clock::now() + limit;
  Output output{-1, read_until(reader.get(), end)};
  if (Clock::now() >= end)
    ::kill(pid, SIGKILL);
  ::waitpid(pid, &output.status, 0);
  return output;
}

} // namespace socksify::check
