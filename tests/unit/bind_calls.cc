// SPDX-License-Identifier: MIT
// When a relay must hold back data until a call for a BIND has been reported.
#include "socks4d/bind_calls.h"
#include "socks4d/tcp.h"
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

using namespace socksify;

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

TEST_CASE("a call comes before its caller's data for the same client, but not before other data") {
  Calls calls;
  Fd listening = listener();
  const Calls::Expected expected(calls, listening.get(), {client, server});
  CHECK_FALSE(calls.wait({client, server}));
  const Caller caller(listening.get());
  CHECK(calls.wait({client, server}));
  CHECK_FALSE(calls.wait({client, another}));
  CHECK_FALSE(calls.wait({another, server}));
  listening = Fd();
  CHECK_FALSE(calls.wait({client, server}));
}

TEST_CASE("a call that anybody may make comes before all data for that client") {
  Calls calls;
  const Fd listening = listener();
  const Calls::Expected expected(calls, listening.get(), {client, 0});
  const Caller caller(listening.get());
  CHECK(calls.wait({client, server}));
  CHECK(calls.wait({client, another}));
  CHECK_FALSE(calls.wait({another, server}));
}

TEST_CASE("a call that is being accepted comes before everything until the client knows about it") {
  Calls calls;
  const Fd listening = listener();
  const Calls::Expected expected(calls, listening.get(), {client, server});
  const Caller caller(listening.get());
  {
    const Calls::Taking taking(calls);
    CHECK(accept_from(listening.get()).fd);
    CHECK(calls.wait({client, server}));
  }
  CHECK_FALSE(calls.wait({client, server}));
}
