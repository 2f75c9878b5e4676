// SPDX-License-Identifier: MIT
#include "with_server/watcher.h"
#include "common/system_call.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace with_server {

using socksify::check;
using socksify::Fd;

namespace {

constexpr int farewell_limit = 2000; // milliseconds from SIGTERM to SIGKILL

// The lowest descriptors that are free for us, after the three standard ones.
constexpr int client_fd = 3, report_fd = 4, first_other_fd = 5;

void move_to(Fd& fd, int number) { fd = Fd(check("dup3", ::dup3(fd.get(), number, O_CLOEXEC))); }

void move_above(Fd& fd, int number) { fd = Fd(check("fcntl", ::fcntl(fd.get(), F_DUPFD_CLOEXEC, number))); }

void unblock_all_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The program that started us may itself use a SOCKS server. Ours must not connect through it.
void forget_proxy() {
  ::unsetenv("LD_PRELOAD");
  ::setenv("SOCKS_SERVER", "", true);
  ::unsetenv("SOCKS4_SERVER");
}

[[noreturn]] void execute(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const auto& word : command)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::dprintf(STDERR_FILENO, "%s: %s\n", words[0], std::strerror(errno));
  ::_exit(127);
}

} // namespace

Fd open_process(pid_t pid) { return Fd(static_cast<int>(check("pidfd_open", ::syscall(SYS_pidfd_open, pid, 0)))); }

void Watcher::run() {
  detach();
  Pipe output;
  m_server = check("fork", ::fork());
  if (m_server == 0)
    become_server(output.writer.get());
  output.writer.reset();
  if (wait_for_client(output.reader.get()))
    stop_server();
  else
    report_exit();
}

// Closes the client's descriptors: otherwise whoever reads a pipe of the client's would wait for us as well. Ignores
// what the terminal sends to the foreground: that is meant for the client.
void Watcher::detach() {
  move_above(m_client, first_other_fd);
  move_above(m_report, first_other_fd);
  Fd null(check("/dev/null", ::open("/dev/null", O_RDWR | O_CLOEXEC)));
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
  null.reset();
  move_to(m_client, client_fd);
  move_to(m_report, report_fd);
  ::close_range(first_other_fd, ~0U, 0);
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGPIPE})
    ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
}

void Watcher::become_server(int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM); // in case the watcher is killed
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (!m_command.asks_user) {
    ::setsid();
    forget_proxy();
  }
  unblock_all_signals();
  execute(m_command.words);
}

// True when the client has exited, false when the server has.
bool Watcher::wait_for_client(int output) {
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

void Watcher::heard(std::string line) {
  if (m_report && line.find(m_command.readiness) != line.npos) {
    report(ready, line);
    m_report.reset();
  }
  m_last_line = std::move(line);
}

// A failed write means that the client has exited. poll() reports that as well.
void Watcher::report(std::string_view result, const std::string& line) {
  const auto text = fmt::format("{}{}\n", result, line);
  [[maybe_unused]] const ssize_t written = ::write(m_report.get(), text.data(), text.size());
}

// Says on standard error that the server is gone, unless the client is gone, too.
void Watcher::report_exit() {
  stop_server();
  if (m_report)
    return report(failed, m_last_line);
  pollfd client{m_client.get(), POLLIN, 0};
  if (::poll(&client, 1, 0) == 0)
    fmt::print(stderr, "socksify: {}: the server has exited: {}\n", m_command.name, m_last_line);
}

void Watcher::stop_server() {
  const Fd server = open_process(m_server);
  ::kill(m_server, SIGTERM);
  pollfd end{server.get(), POLLIN, 0};
  if (::poll(&end, 1, farewell_limit) != 1)
    ::kill(m_server, SIGKILL);
  ::waitpid(m_server, nullptr, 0);
}

} // namespace with_server
