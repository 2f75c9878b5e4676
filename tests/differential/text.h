// SPDX-License-Identifier: MIT
// How the player writes what calls say, the same for both sides: names instead of numbers, and no number that the
// kernel chooses. This is one half of the list of allowed differences:
//
// - Local addresses are "local" and any port but 0 is "port": through the shim getsockname() tells what the other side
// sees.
// - Addresses of partners are their names; a connection that a partner made is from "app".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace differential {

std::string errno_name(int error);

// poll() and epoll have the same numbers for the same events.
std::string events_text(uint32_t events);
uint32_t events_of(std::string_view names); // "IN|OUT|ET"; what is not known is nothing

int flags_of(std::string_view names); // "PEEK|DONTWAIT", "-"

std::string address_text(const sockaddr_storage& address);

// The address of a partner, or what is written "any", "loop", "taken"; false: no such name.
bool address_of(std::string_view name, int family, sockaddr_storage& address, socklen_t& length);

// Reads $PARTNERS: "echo=127.0.0.3:4000 ...".
void read_partners();

} // namespace differential
