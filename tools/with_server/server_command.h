// SPDX-License-Identifier: MIT
// The command line of a SOCKS server, and how to tell that it is ready.
#pragma once
#include <string>
#include <vector>

namespace with_server {

struct ServerCommand {
  std::vector<std::string> words;
  std::string name;      // for messages
  std::string readiness; // the server is ready when it prints a line that contains this
  bool asks_user;        // for a password, on the terminal
};

ServerCommand local_server(const std::string& socks4d);

// ssh -D at `address`, which is ADDRESS:PORT.
ServerCommand ssh_server(const std::string& gateway, const std::string& address);

} // namespace with_server
