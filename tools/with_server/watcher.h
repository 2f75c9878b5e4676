// SPDX-License-Identifier: MIT
// A SOCKS server that lives as long as this process, whatever program that becomes. Between the two stands a watcher,
// which is no child of this process: a program may wait for all children that it has.
#pragma once
#include "base/fd.h"
#include <string>
#include <vector>

namespace socksify {

struct ServerCommand {
  std::vector<std::string> words;
  std::string name;      // for messages
  std::string readiness; // what the line has in it that says that the server is ready
  bool asks_user;        // for passwords, by way of the terminal
};

// Starts it and waits until it is ready; returns that line. Throws std::runtime_error with what the server said last.
std::string start_watched(const ServerCommand& command);

} // namespace socksify
