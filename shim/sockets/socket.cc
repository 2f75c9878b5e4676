// SPDX-License-Identifier: MIT
#include "sockets/socket.h"

namespace socksify {

std::optional<Endpoint> Socket::local() const {
  switch (m_state) {
  case State::bound:
    return as<Bound>().may_be_bound_again() ? std::optional{as<Bound>().last} : std::nullopt;
  case State::connected:
    return as<Connected>().local;
  case State::listening:
  case State::accepting:
    return as<AwaitingCall>().local;
  case State::accepted:
    return as<Accepted>().local;
  case State::dummy_listener:
    return as<DummyListener>().local;
  default:
    return std::nullopt;
  }
}

std::optional<Endpoint> Socket::peer() const {
  if (is<Connected>())
    return as<Connected>().peer;
  if (is<Accepted>())
    return as<Accepted>().peer;
  return std::nullopt;
}

namespace transitions {

Socket granted(Socket socket, int fd, Endpoint local) {
  const Endpoint peer = socket.as<Pending>().peer;
  socket.fd = fd;
  socket.become(State::connected, Connected{.peer = peer, .local = local, .success_unreported = true});
  return socket;
}

Socket learned(Socket socket, uint32_t local_ip) {
  socket.as<Connected>().local.ip = local_ip;
  socket.as<Connected>().has_guessed_ip = false;
  return socket;
}

Socket refused(Socket socket, int fd, int error) {
  socket.fd = fd;
  socket.become(State::failed, Failed{error});
  return socket;
}

Socket reported(Socket socket) {
  socket.as<Connected>().success_unreported = false;
  return socket;
}

Socket bind_granted(Socket socket, Endpoint local, int low_water_mark) {
  const Bound bound = socket.as<Bound>();
  socket.become(State::listening, AwaitingCall{.requested = bound.requested,
                                               .primary = bound.primary,
                                               .local = local,
                                               .low_water_mark = low_water_mark});
  return socket;
}

Socket listened(Socket socket) {
  socket.as<AwaitingCall>().is_listening = true;
  return socket;
}

Socket being_accepted(Socket socket) {
  const AwaitingCall awaiting = socket.as<AwaitingCall>();
  socket.become(State::accepting, awaiting);
  return socket;
}

Socket call_of(Socket socket, int fd, Endpoint peer) {
  const Endpoint local = socket.as<AwaitingCall>().local;
  socket.fd = fd;
  socket.become(State::accepted, Accepted{peer, local});
  return socket;
}

Socket dummy_of(Socket socket, int fd) {
  const AwaitingCall awaiting = socket.as<AwaitingCall>();
  socket.fd = fd;
  socket.become(State::dummy_listener, DummyListener{awaiting.requested, awaiting.primary, awaiting.local});
  return socket;
}

Socket unlistened(Socket socket) {
  const auto bound_as = [](const auto& listener) {
    return Bound{listener.requested, listener.primary, listener.local};
  };
  socket.become(State::bound, socket.is<DummyListener>() ? bound_as(socket.as<DummyListener>())
                                                         : bound_as(socket.as<AwaitingCall>()));
  return socket;
}

} // namespace transitions
} // namespace socksify
