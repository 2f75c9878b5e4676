// SPDX-License-Identifier: MIT
// When a relay must wait for a pending call.
#include "socks4d/session/bind_calls.h"
#include "socks4d/net/tcp.h"
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

using namespace socks4d;

namespace {

constexpr uint32_t client = 1, server = 2, another = 3;

struct Caller {
  explicit Caller(int listener) {
    const SocketAddress there(local_endpoint(listener), AF_INET);
    REQUIRE(::connect(fd.get(), there.get(), there.length) == 0);
    pollfd one{listener, POLLIN, 0};
    REQUIRE(::poll(&one, 1, 10000) == 1);
  }
  Fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

Fd listener() {
  Fd fd = make_socket();
  listen_at(fd.get(), {INADDR_LOOPBACK, 0}, 0);
  return fd;
}

} // namespace

TEST_CASE("a call is pending for its caller and the same client, and for nobody else") {
  BindCalls calls;
  Fd listening = listener();
  const BindCalls::ExpectCall expected(calls, listening.get(), {client, server});
  CHECK_FALSE(calls.is_pending({client, server}));
  const Caller caller(listening.get());
  CHECK(calls.is_pending({client, server}));
  CHECK_FALSE(calls.is_pending({client, another}));
  CHECK_FALSE(calls.is_pending({another, server}));
  listening = Fd();
  CHECK_FALSE(calls.is_pending({client, server}));
}

TEST_CASE("a call that any host may make is pending for every server of that client") {
  BindCalls calls;
  const Fd listening = listener();
  const BindCalls::ExpectCall expected(calls, listening.get(), {client, 0});
  const Caller caller(listening.get());
  CHECK(calls.is_pending({client, server}));
  CHECK(calls.is_pending({client, another}));
  CHECK_FALSE(calls.is_pending({another, server}));
}

TEST_CASE("an accepted call stays pending for everybody until it is announced") {
  BindCalls calls;
  const Fd listening = listener();
  const BindCalls::ExpectCall expected(calls, listening.get(), {client, server});
  const Caller caller(listening.get());
  {
    const BindCalls::AnnounceCall announcing(calls);
    CHECK(accept_from(listening.get()).fd);
    CHECK(calls.is_pending({client, server}));
  }
  CHECK_FALSE(calls.is_pending({client, server}));
}
