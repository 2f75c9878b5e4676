// SPDX-License-Identifier: MIT
// socks4d, a SOCKS4 server: reads its arguments, listens and serves until SIGTERM or SIGINT.
#include "check.h"
#include "loop.h"
#include "options.h"
#include "server.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

namespace socksify {
namespace {

// One line at once, at the time it is said: somebody may wait for it.
void say(const std::string& text) {
  check("cannot write to the standard output", std::fputs(text.c_str(), stdout));
  check("cannot write to the standard output", std::fflush(stdout));
}

// The soft limit of descriptors protects programs that use select(2). Unchecked: the server runs with less,
// too.
void raise_descriptor_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// A descriptor that is readable when the process is asked to end.
Fd ending_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  check("sigprocmask", ::sigprocmask(SIG_BLOCK, &set, nullptr));
  return Fd(check("signalfd", ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)));
}

void serve(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN); // splice(2) has no MSG_NOSIGNAL
  raise_descriptor_limit();
  Loop loop;
  Watch signals(loop, ending_signals());
  signals.expect(EPOLLIN, [&loop](uint32_t) { loop.stop(); });
  Server server(loop, options);
  say(fmt::format("socks4d: listening on {}\n", to_text(server.endpoint()).view()));
  loop.run();
}

void run(const Options& options) {
  switch (options.action) {
  case Options::Action::help:
    return say(usage());
  case Options::Action::version:
    return say("socks4d " VERSION "\n");
  case Options::Action::serve:
    return serve(options);
  }
}

} // namespace
} // namespace socksify

int main(int argc, char** argv) try {
  socksify::run(socksify::parse_options(argc, argv));
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::fprintf(stderr, "socks4d: %s\n", error.what());
  return EXIT_FAILURE;
}
