// SPDX-License-Identifier: MIT
// A listening socket, TCP or Unix, opened here or by a service manager.
#pragma once
#include "socks4d/net/listen_address.h"
#include <vector>

namespace socks4d {

class Listener {
public:
  // Throws Failure, which names the address.
  explicit Listener(const ListenAddress& address);
  // The sockets that a service manager opened for this process: LISTEN_FDS of them, if LISTEN_PID is our process id
  // (sd_listen_fds(3)).
  static std::vector<Listener> inherited();

  // Removes the Unix socket if this object created it.
  ~Listener();
  Listener(Listener&& other) noexcept = default;
  Listener& operator=(Listener&& other) = delete;

  int fd() const { return m_fd.get(); }
  const ListenAddress& address() const { return m_address; } // with the real port, never 0
  bool is_unix() const { return m_address.is_unix(); }
  bool is_inherited() const { return m_is_inherited; }

  // TCP Fast Open: the SYN may carry the request.
  void enable_fast_open() const;

private:
  explicit Listener(Fd inherited);

  Fd m_fd;
  ListenAddress m_address;
  bool m_is_inherited = false;
};

} // namespace socks4d
