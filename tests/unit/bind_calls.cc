// SPDX-License-Identifier: MIT
// When a relay has to give way to a call that waits for a BIND.
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

TEST_CASE("a call goes before what its caller says to the same client, and nobody else") {
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

TEST_CASE("a call to whoever may come goes before what anybody says to that client") {
  Calls calls;
  const Fd listening = listener();
  const Calls::Expected expected(calls, listening.get(), {client, 0});
  const Caller caller(listening.get());
  CHECK(calls.wait({client, server}));
  CHECK(calls.wait({client, another}));
  CHECK_FALSE(calls.wait({another, server}));
}

TEST_CASE("a call that is being taken goes before all, until the client has been told") {
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
