// SPDX-License-Identifier: MIT
// The names that the server takes from the base it shares with the library.
#pragma once
#include "base/address.h"
#include "base/fd.h"
#include "base/socks4.h"
#include "common/system_call.h"

namespace socks4d {

namespace socks4 = socksify::socks4;

using socksify::Endpoint;
using socksify::Fd;
using socksify::Ip;
using socksify::IpPort;
using socksify::SocketAddress;

using socksify::parse_ipv4;
using socksify::parse_number;
using socksify::to_text;

using socksify::check;
using socksify::Failure;
using socksify::would_block;

} // namespace socks4d
