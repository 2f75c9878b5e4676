// SPDX-License-Identifier: MIT
// The output of the player, the same with and without the shim: names instead of numbers, and no number that the kernel
// chooses. These differences are allowed, and hidden here:
//
// - Local addresses are "local", and any port but 0 is "port": through the shim, getsockname() returns the address that
//   the peer sees.
// - Addresses of partners are their names; a connection that a partner made is from "app".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace differential {

std::string errno_name(int error);

// poll() and epoll use the same bits.
std::string events_text(uint32_t events);
uint32_t events_of(std::string_view names); // "IN|OUT|ET", unknown names are ignored

int flags_of(std::string_view names); // "PEEK|DONTWAIT", "-"

std::string address_text(const sockaddr_storage& address);

// The address of a partner, or of "any", "loop" or "taken"; false for other names.
bool address_of(std::string_view name, int family, sockaddr_storage& address, socklen_t& length);

// Reads $PARTNERS: "echo=127.0.0.3:4000 ...".
void read_partners();

} // namespace differential
