// SPDX-License-Identifier: MIT
#include "with_server/start.h"
#include "common/system_call.h"
#include "with_server/watcher.h"
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace with_server {

using socksify::check;
using socksify::Fd;

namespace {

[[noreturn]] void watch(const ServerCommand& command, Fd client, Fd report) {
  try {
    Watcher(command, std::move(client), std::move(report)).run();
    ::_exit(EXIT_SUCCESS);
  } catch (const std::exception& error) {
    fmt::print(stderr, "socksify: {}: {}\n", command.name, error.what());
    ::_exit(EXIT_FAILURE);
  }
}

// Forks twice: the watcher must not be a child of this process, because the program may wait for all its children.
void start_watcher(const ServerCommand& command, Fd report) {
  Fd client = open_process(::getpid());
  const pid_t between = check("fork", ::fork());
  if (between == 0) {
    const pid_t watcher = ::fork();
    if (watcher == 0)
      watch(command, std::move(client), std::move(report));
    ::_exit(watcher < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// The watcher's report. There is no time limit, because the user may have to type a password; the server limits
// everything else.
std::string receive_report(int fd) {
  std::string result;
  Lines lines;
  while (result.empty() && lines.receive(fd, [&result](std::string line) { result = std::move(line); })) {
  }
  return result;
}

} // namespace

std::string start_server(const ServerCommand& command) {
  Pipe report;
  start_watcher(command, std::move(report.writer));
  const auto line = receive_report(report.reader.get());
  if (line.starts_with(ready))
    return line.substr(ready.size());
  const bool has_reason = line.size() > failed.size();
  throw std::runtime_error(
      fmt::format("{}: {}", command.name, has_reason ? line.substr(failed.size()) : "the server has exited silently"));
}

} // namespace with_server
