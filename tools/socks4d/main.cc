// SPDX-License-Identifier: MIT
// socks4d, a SOCKS4 server: reads its arguments, listens and serves until SIGTERM or SIGINT.
#include "common/system_call.h"
#include "socks4d/loop.h"
#include "socks4d/options.h"
#include "socks4d/server.h"
#include "socks4d/shared.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <thread>
#include <unistd.h>

namespace socksify {
namespace {

// One line at once, at the time it is said: somebody may wait for it.
void say(const std::string& text) {
  check("cannot write to the standard output", std::fputs(text.c_str(), stdout));
  check("cannot write to the standard output", std::fflush(stdout));
}

// A descriptor 0, 1 or 2 that is closed would be the next socket, and what is printed go to a client. What takes its
// place cannot be written to, so that a message to nobody is still an error.
void occupy_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0)
      check("/dev/null", ::open("/dev/null", O_RDONLY)); // the lowest free one
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

void become(const std::string& name) {
  errno = 0;
  const passwd* user = ::getpwnam(name.c_str());
  if (!user)
    throw Failure(fmt::format("--user {}: no such user", name), errno ? errno : ENOENT);
  const bool is_done =
      ::initgroups(user->pw_name, user->pw_gid) == 0 && ::setgid(user->pw_gid) == 0 && ::setuid(user->pw_uid) == 0;
  if (!is_done)
    throw Failure(fmt::format("--user {}: cannot become that user", name));
}

// What a server that runs obeys would end one that is about to: it has to wait until then. Threads inherit the mask.
void postpone_requests() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGHUP);
  ::sigaddset(&set, SIGUSR1);
  check("sigprocmask", ::sigprocmask(SIG_BLOCK, &set, nullptr));
}

// A descriptor that is readable when the process is asked for something. Threads that start later inherit the mask.
Fd requests_by_signal() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1})
    ::sigaddset(&set, signal);
  check("sigprocmask", ::sigprocmask(SIG_BLOCK, &set, nullptr));
  return Fd(check("signalfd", ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)));
}

unsigned cores() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

// The loops of the other threads, which end with this.
class Workers {
public:
  Workers(Site& site, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      m_workers.push_back(std::make_unique<Worker>(site));
  }
  ~Workers() {
    for (auto& worker : m_workers)
      worker->loop.stop();
    for (auto& worker : m_workers)
      worker->thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

private:
  struct Worker {
    explicit Worker(Site& site) : server(loop, site), thread([this] { loop.run(); }) {}
    Loop loop;
    Server server;
    std::thread thread;
  };
  std::vector<std::unique_ptr<Worker>> m_workers;
};

void obey(int signals, Site& site, Loop& loop) {
  signalfd_siginfo signal;
  while (::read(signals, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGHUP)
      site.reload();
    else if (signal.ssi_signo == SIGUSR1)
      write_line(STDOUT_FILENO, site.report());
    else
      loop.stop();
  }
}

void serve(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN); // splice(2) has no MSG_NOSIGNAL
  std::signal(SIGXFSZ, SIG_IGN); // a log as large as it may be is no reason to end
  raise_descriptor_limit();
  Site site(options);
  if (!options.user.empty())
    become(options.user);
  Loop loop;
  Watch signals(loop, requests_by_signal());
  struct Context {
    Site& site;
    Loop& loop;
    int signals;
  } context{site, loop, signals.fd()};
  signals.expect(EPOLLIN, [&context](uint32_t) { obey(context.signals, context.site, context.loop); });
  Server server(loop, site);
  const Workers workers(site, (options.threads ? options.threads : cores()) - 1);
  for (const Listener& listener : site.listeners())
    say(fmt::format("socks4d: listening on {}\n", listener.address().text()));
  loop.run();
  site.stop_listening();
}

void run(const Options& options) {
  switch (options.action) {
  case Options::Action::check_config:
    read_policy(options.config);
    return;
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
  socksify::postpone_requests();
  socksify::occupy_standard_descriptors();
  socksify::run(socksify::parse_options(argc, argv));
  return EXIT_SUCCESS;
} catch (const std::exception& error) {
  std::fprintf(stderr, "socks4d: %s\n", error.what());
  return EXIT_FAILURE;
}
