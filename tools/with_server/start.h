// SPDX-License-Identifier: MIT
// Starts a SOCKS server that lives as long as this process, whatever program it becomes.
#pragma once
#include "with_server/server_command.h"

namespace with_server {

// Waits until the server is ready and returns the line that said so. Throws std::runtime_error with the server's last
// line if it exits first.
std::string start_server(const ServerCommand& command);

} // namespace with_server
