// SPDX-License-Identifier: MIT
// A small file that the user has written.
#pragma once
#include <optional>
#include <string>

namespace socksify::launcher {

// All of its text, or nothing if there is no such file. Throws Error for whatever would keep us waiting, is too large
// or cannot be read: such a file might name a server.
std::optional<std::string> read_whole(const std::string& path);

} // namespace socksify::launcher
