// SPDX-License-Identifier: MIT
#include "socks4d/signals.h"
#include <csignal>
#include <initializer_list>
#include <sys/signalfd.h>

namespace socks4d {
namespace {

sigset_t block(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals)
    ::sigaddset(&set, signal);
  check("sigprocmask", ::sigprocmask(SIG_BLOCK, &set, nullptr));
  return set;
}

} // namespace

void postpone_signals() { block({SIGHUP, SIGUSR1}); }

void ignore_write_signals() {
  std::signal(SIGPIPE, SIG_IGN); // splice(2) has no MSG_NOSIGNAL
  std::signal(SIGXFSZ, SIG_IGN); // a log at its size limit must not end the server
}

Fd open_signals() {
  const sigset_t set = block({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
  return Fd(check("signalfd", ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)));
}

int next_signal(int fd) {
  signalfd_siginfo info;
  return ::read(fd, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

} // namespace socks4d
