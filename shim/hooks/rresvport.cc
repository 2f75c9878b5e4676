// SPDX-License-Identifier: MIT
// rresvport(3): a TCP socket with a reserved port. The C library binds it by a call that no hook sees.
#include "base/address.h"
#include "base/fd.h"
#include "config/config.h"
#include "kernel/real.h"
#include "sockets/registry.h"
#include <netdb.h>

using namespace socksify;

namespace {

// A socket for a BIND that was bound to this port, and in `port` the one that others can call: the SOCKS server's.
// Nothing if bind() is a plain local one here: the port is in use.
Fd by_bind(int& port, sa_family_t family) {
  const KeepErrno keep;
  SocketAddress address{{0, static_cast<uint16_t>(port)}, family};
  Fd fd{socket(family, SOCK_STREAM, 0)};
  if (!fd || bind(fd.get(), address.get(), address.length) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length) != 0)
    return {};
  port = IpPort::from(address.get(), address.length)->port;
  return fd;
}

} // namespace

HOOK int rresvport_af(int* port, sa_family_t family) {
  Fd fd{REAL(rresvport_af)(port, family)};
  if (!fd || !config().active || sockets::empty())
    return fd.release();
  Fd bound = by_bind(*port, family);
  return bound ? bound.release() : fd.release();
}

HOOK int rresvport(int* port) { return rresvport_af(port, AF_INET); }
