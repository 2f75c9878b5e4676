// SPDX-License-Identifier: MIT
// The variables that say what the library does, but for the general ones that may name a server. Shared with the
// launcher.
#pragma once

namespace socksify {

inline constexpr const char* settings[] = {
    "SOCKS4_SERVER",   "SOCKS_SERVER",     "SOCKS_USER",        "SOCKS_USERNAME", "SOCKS_DEBUG",
    "SOCKS_LOGOUTPUT", "SOCKSIFY_TIMEOUT", "SOCKSIFY_LOOPBACK", "SOCKSIFY_BIND",  "SOCKSIFY_FASTOPEN",
    "SOCKSIFY_DNS",    "SOCKSIFY_SESSION", "SOCKSIFY_LEAK",     "no_proxy",       "NO_PROXY"};

} // namespace socksify
