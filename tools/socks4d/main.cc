// SPDX-License-Identifier: MIT
// socks4d, a SOCKS4 server: reads its options, listens, and serves until SIGTERM or SIGINT.
#include "socks4d/net/loop.h"
#include "socks4d/options.h"
#include "socks4d/policy/policy_file.h"
#include "socks4d/process.h"
#include "socks4d/server.h"
#include "socks4d/shared.h"
#include "socks4d/signals.h"
#include "socks4d/workers.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

namespace socks4d {
namespace {

// Flushes: somebody may be waiting for the line.
void print(const std::string& text) {
  check("cannot write to standard output", std::fputs(text.c_str(), stdout));
  check("cannot write to standard output", std::fflush(stdout));
}

void obey_signals(int fd, Shared& shared, Loop& loop) {
  while (const int signal = next_signal(fd)) {
    if (signal == SIGHUP)
      shared.reload();
    else if (signal == SIGUSR1)
      write_line(STDOUT_FILENO, shared.report());
    else
      loop.stop();
  }
}

void serve_until_stopped(Shared& shared) {
  Loop loop;
  Watch signals(loop, open_signals());
  struct Context {
    Shared& shared;
    Loop& loop;
    int signals;
  } context{shared, loop, signals.fd()}; // a Callback holds no more than two words
  signals.expect(EPOLLIN, [&context](uint32_t) { obey_signals(context.signals, context.shared, context.loop); });
  Server server(loop, shared);
  const unsigned threads = shared.options().threads;
  const Workers workers(shared, (threads ? threads : available_cores()) - 1);
  for (const Listener& listener : shared.listeners())
    print(fmt::format("socks4d: listening on {}\n", listener.address().text()));
  loop.run();
  shared.stop_listening();
}

void serve(const Options& options) {
  ignore_write_signals();
  raise_descriptor_limit();
  Shared shared(options);
  if (!options.user.empty())
    become_user(options.user);
  serve_until_stopped(shared);
}

void run(const Options& options) {
  switch (options.action) {
  case Options::Action::check_config:
    read_policy(options.config);
    return;
  case Options::Action::help:
    return print(usage());
  case Options::Action::version:
    return print("socks4d " VERSION "\n");
  case Options::Action::serve:
    return serve(options);
  }
}

} // namespace
} // namespace socks4d

int main(int argc, char** argv) try {
  socks4d::postpone_signals();
  socks4d::open_standard_descriptors();
  socks4d::run(socks4d::parse_options(argc, argv));
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::fprintf(stderr, "socks4d: %s\n", error.what());
  return EXIT_FAILURE;
}
