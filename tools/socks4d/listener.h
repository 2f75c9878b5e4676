// SPDX-License-Identifier: MIT
// Where clients come in: a TCP address or a Unix socket, opened here or by a service manager.
#pragma once
#include "base/address.h"
#include "base/fd.h"
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socksify {

struct ListenAddress {
  Endpoint endpoint;
  std::string path; // of a Unix socket; empty: TCP

  // "127.0.0.1:1080", "unix:/run/socks4d/socket".
  static std::optional<ListenAddress> from(std::string_view text);
  std::string text() const;
};

class Listener {
public:
  // Throws Failure, which names the address.
  explicit Listener(const ListenAddress& address);
  // The listening sockets that a service manager has opened for us: LISTEN_FDS of them, if LISTEN_PID is us
  // (sd_listen_fds(3)).
  static std::vector<Listener> passed();

  // Removes the Unix socket that it has made.
  ~Listener();
  Listener(Listener&& other) noexcept = default;
  Listener& operator=(Listener&& other) = delete;

  int fd() const { return m_fd.get(); }
  const ListenAddress& address() const { return m_address; } // the port is the real one
  bool is_unix() const { return !m_address.path.empty(); }
  bool is_passed() const { return m_is_passed; }

  // TCP Fast Open: requests may come in the SYN.
  void let_open_fast() const;

private:
  explicit Listener(Fd passed);

  Fd m_fd;
  ListenAddress m_address;
  bool m_is_passed = false;
};

} // namespace socksify
