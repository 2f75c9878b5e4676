// SPDX-License-Identifier: MIT
#include "with_server/watcher.h"
#include "common/system_call.h"
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace socksify {
namespace {

constexpr int farewell_limit = 2000; // milliseconds from SIGTERM to SIGKILL
constexpr std::string_view ready = "ready ", failed = "failed ";

Fd open_process(pid_t pid) { return Fd(static_cast<int>(check("pidfd_open", ::syscall(SYS_pidfd_open, pid, 0)))); }

struct Pipe {
  Fd reader, writer;

  Pipe() {
    int ends[2];
    check("pipe", ::pipe2(ends, O_CLOEXEC));
    reader = Fd(ends[0]), writer = Fd(ends[1]);
  }
};

// What comes out of a pipe, in lines.
class Lines {
public:
  // False at the end.
  template <typename Taker> bool receive(int fd, Taker take) {
    std::array<char, 4096> bytes;
    const ssize_t length = ::read(fd, bytes.data(), bytes.size());
    if (length <= 0)
      return length < 0 && errno == EINTR;
    for (const char c : std::string_view{bytes.data(), static_cast<size_t>(length)}) {
      if (c != '\n' && c != '\r')
        m_line += c;
      else if (!m_line.empty())
        take(std::exchange(m_line, {}));
    }
    return true;
  }

private:
  std::string m_line;
};

// The process between: runs the server, and ends it when the client, which it is told by a pidfd, is no more.
class Watcher {
public:
  Watcher(const ServerCommand& command, Fd client, Fd report)
      : m_command(command), m_client(std::move(client)), m_report(std::move(report)) {}

  void run() {
    let_go();
    Pipe output;
    m_server = check("fork", ::fork());
    if (m_server == 0)
      become_server(output.writer.get());
    output.writer.reset();
    if (serve(output.reader.get()))
      end_server();
    else
      tell_end();
  }

private:
  // Whoever waits for the end of a pipe that the client has does not wait for us. What the terminal sends to all that
  // is in the foreground is for the client.
  void let_go() {
    m_client = Fd(check("fcntl", ::fcntl(m_client.get(), F_DUPFD_CLOEXEC, 5)));
    m_report = Fd(check("fcntl", ::fcntl(m_report.get(), F_DUPFD_CLOEXEC, 5)));
    Fd nothing(check("/dev/null", ::open("/dev/null", O_RDWR | O_CLOEXEC)));
    ::dup2(nothing.get(), STDIN_FILENO), ::dup2(nothing.get(), STDOUT_FILENO);
    nothing.reset();
    m_client = Fd(check("dup3", ::dup3(m_client.get(), 3, O_CLOEXEC)));
    m_report = Fd(check("dup3", ::dup3(m_report.get(), 4, O_CLOEXEC)));
    ::close_range(5, ~0U, 0);
    for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGPIPE})
      ::signal(signal, SIG_IGN);
    ::signal(SIGCHLD, SIG_DFL);
  }

  [[noreturn]] void become_server(int output) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM); // if the watcher is killed
    ::dup2(output, STDOUT_FILENO), ::dup2(output, STDERR_FILENO);
    if (!m_command.asks_user) {
      ::setsid();
      // We may have been started by a program that goes through another server, and would be put back on that way.
      ::unsetenv("LD_PRELOAD");
      ::setenv("SOCKS_SERVER", "", true);
      ::unsetenv("SOCKS4_SERVER");
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    std::vector<char*> words;
    for (const auto& word : m_command.words)
      words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    ::dprintf(STDERR_FILENO, "%s: %s\n", words[0], std::strerror(errno));
    ::_exit(127);
  }

  // True when the client has ended, false when the server has.
  bool serve(int output) {
    Lines lines;
    for (;;) {
      pollfd waits[] = {{m_client.get(), POLLIN, 0}, {output, POLLIN, 0}};
      if (::poll(waits, 2, -1) < 0)
        continue;
      if (waits[0].revents)
        return true;
      if (waits[1].revents && !lines.receive(output, [this](std::string line) { heard(std::move(line)); }))
        return false;
    }
  }

  void heard(std::string line) {
    if (m_report && line.find(m_command.readiness) != line.npos) {
      report(ready, line);
      m_report.reset();
    }
    m_last = std::move(line);
  }

  void report(std::string_view what, const std::string& line) {
    const auto text = fmt::format("{}{}\n", what, line);
    if (::write(m_report.get(), text.data(), text.size()) < 0)
      return; // the client has ended, as poll() will say
  }

  void tell_end() {
    end_server();
    if (m_report)
      return report(failed, m_last);
    pollfd client{m_client.get(), POLLIN, 0};
    if (::poll(&client, 1, 0) == 0)
      fmt::print(stderr, "socksify: {}: the server has ended: {}\n", m_command.name, m_last);
  }

  void end_server() {
    const Fd server = open_process(m_server);
    ::kill(m_server, SIGTERM);
    pollfd end{server.get(), POLLIN, 0};
    if (::poll(&end, 1, farewell_limit) != 1)
      ::kill(m_server, SIGKILL);
    ::waitpid(m_server, nullptr, 0);
  }

  const ServerCommand& m_command;
  Fd m_client, m_report;
  pid_t m_server = -1;
  std::string m_last; // line that the server has said
};

[[noreturn]] void watch(const ServerCommand& command, Fd client, Fd report) {
  try {
    Watcher(command, std::move(client), std::move(report)).run();
    ::_exit(EXIT_SUCCESS);
  } catch (const std::exception& error) {
    fmt::print(stderr, "socksify: {}: {}\n", command.name, error.what());
    ::_exit(EXIT_FAILURE);
  }
}

// The line of the report. Without a limit where the user is asked for a password; the server has one for the rest.
std::string wait_for(int report) {
  std::string result;
  Lines lines;
  while (result.empty() && lines.receive(report, [&result](std::string line) { result = std::move(line); })) {
  }
  return result;
}

} // namespace

std::string start_watched(const ServerCommand& command) {
  Fd client = open_process(::getpid());
  Pipe report;
  const pid_t between = check("fork", ::fork());
  if (between == 0) {
    const pid_t watcher = ::fork();
    if (watcher == 0)
      watch(command, std::move(client), std::move(report.writer));
    ::_exit(watcher < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  report.writer.reset();
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  const auto line = wait_for(report.reader.get());
  if (line.starts_with(ready))
    return line.substr(ready.size());
  throw std::runtime_error(
      fmt::format("{}: {}", command.name,
                  line.size() > failed.size() ? line.substr(failed.size()) : "the server has ended without a word"));
}

} // namespace socksify
