// SPDX-License-Identifier: MIT
#include "sockets/socket.h"
#include "kernel/cookie_map.h"
#include <csignal>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace socksify;

namespace {

constexpr Endpoint peer{0x0a000001, 21}, local{0xc0000207, 4711};

Socket pending() { return {State::pending, Pending{.slot = 3, .low_water_mark = 8, .peer = peer}, AF_INET6, 5, 1}; }
Socket bound() { return {State::bound, Bound{.requested = {0, 4000}, .primary = peer}, AF_INET, 6, 1}; }

} // namespace

TEST_CASE("a CONNECT is granted, and reported once") {
  const Socket granted = transitions::granted(pending(), 9, local);
  CHECK(granted.state() == State::connected);
  CHECK(granted.family == AF_INET6);
  CHECK(granted.server == 1);
  CHECK(granted.fd == 9);
  CHECK(granted.peer() == peer);
  CHECK(granted.local() == local);
  CHECK(granted.as<Connected>().success_unreported);
  CHECK(!transitions::reported(granted).as<Connected>().success_unreported);
}

TEST_CASE("a CONNECT is refused, with its errno") {
  const Socket refused = transitions::refused(pending(), 9, EACCES);
  CHECK(refused.as<Failed>().error == EACCES);
  CHECK(!refused.peer());
  CHECK(!refused.local());
}

TEST_CASE("a BIND goes from bind() to accept()") {
  CHECK(bound().is_bind());
  CHECK(!bound().local());
  const Socket granted = transitions::bind_granted(bound(), local, 2);
  CHECK(granted.is_bind());
  CHECK(!granted.is_listening_bind());
  const Socket listening = transitions::listened(granted);
  CHECK(listening.is_listening_bind());
  const Socket accepting = transitions::being_accepted(listening);
  CHECK(accepting.state() == State::accepting);
  CHECK(accepting.as<AwaitingCall>().low_water_mark == 2);
  CHECK(accepting.local() == local);
  const Socket accepted = transitions::call_of(accepting, 8, peer);
  CHECK(accepted.peer() == peer);
  CHECK(accepted.local() == local);
  CHECK(accepted.fd == 8);
  CHECK(transitions::dummy_of(listening, 6).local() == local);
  CHECK(transitions::dummy_of(listening, 6).is_listener());
}

TEST_CASE("a socket that listens no longer is bound") {
  const Socket listening = transitions::listened(transitions::bind_granted(bound(), local, 2));
  for (const Socket& listener : {listening, transitions::dummy_of(listening, 6)}) {
    const Bound again = transitions::unlistened(listener).as<Bound>();
    CHECK(again.requested == Endpoint{0, 4000});
    CHECK(again.primary == peer);
    CHECK(!again.may_be_bound_again());
  }
}

TEST_CASE("a socket comes out of a map as it went in") {
  const Socket same = unpack<Socket>(pack(pending()));
  CHECK(same.as<Pending>().slot == 3);
  CHECK(same.as<Pending>().low_water_mark == 8);
  CHECK(same.as<Pending>().peer == peer);
}

TEST_CASE("reading the wrong state ends the program") {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGILL, SIG_DFL); // not doctest's report
    _exit(pending().as<Failed>().error);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
}
