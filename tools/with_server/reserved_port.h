// SPDX-License-Identifier: MIT
// A loopback port that nobody else gets while this object exists: ssh -D does not accept port 0. ssh can still listen
// there because of SO_REUSEADDR, which allows two sockets on one port unless both of them listen.
#pragma once
#include "base/address.h"
#include "base/fd.h"
#include "common/system_call.h"
#include <string>

namespace with_server {

class ReservedPort {
public:
  ReservedPort() : m_fd(socksify::check("socket", ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))) {
    using socksify::check;
    const int on = 1;
    check("setsockopt", ::setsockopt(m_fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    socksify::SocketAddress address(socksify::Endpoint{INADDR_LOOPBACK, 0}, AF_INET);
    check("bind", ::bind(m_fd.get(), address.get(), address.length));
    check("getsockname", ::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length));
    m_endpoint = socksify::IpPort::from(address.get(), address.length)->endpoint();
  }
  std::string text() const { return to_text(m_endpoint).c_str(); }

private:
  socksify::Fd m_fd;
  socksify::Endpoint m_endpoint;
};

} // namespace with_server
