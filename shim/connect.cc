// SPDX-License-Identifier: MIT
#include "connect.h"
#include "config.h"
#include "exchange.h"
#include "log.h"
#include "sockets.h"
#include <cerrno>

namespace socksify {

int connect_through(int fd, int family, Endpoint destination) {
  log(2, FMT_COMPILE("fd {}: CONNECT {}, userid {}"), fd, to_text(destination).view(),
      config().userid.view());
  auto granted = exchange(fd, family, {socks4::Command::connect, destination, config().userid.view(), {}});
  Socket socket{.family = static_cast<uint8_t>(family), .peer = destination, .local = granted.endpoint};
  if (granted.error == EINTR) {
    // The program may retry, or wait for the socket and ask SO_ERROR what became of it.
    socket.state = State::failed;
    socket.error = EINTR;
    if (!sockets::remember(fd, socket))
      return ENOMEM;
  }
  if (granted.error) {
    log(1, FMT_COMPILE("fd {}: connection to {} failed: errno {}"), fd, to_text(destination).view(),
        granted.error);
    return granted.error;
  }
  socket.state = State::connected;
  if (!sockets::remember(fd, socket)) {
    disconnect(fd);
    return ENOMEM;
  }
  log(1, FMT_COMPILE("fd {}: connected to {}, which sees {}"), fd, to_text(destination).view(),
      to_text(socket.local).view());
  return 0;
}

} // namespace socksify
