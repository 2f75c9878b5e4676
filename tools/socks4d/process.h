// SPDX-License-Identifier: MIT
// What the server changes about its own process before it serves.
#pragma once
#include <string>

namespace socks4d {

// Opens those of descriptors 0, 1 and 2 that are closed. Otherwise the next socket would get such a number, and output
// would go to a client.
void open_standard_descriptors();

void raise_descriptor_limit();

// Switches to a user with all its groups. Throws Failure.
void become_user(const std::string& name);

// The number of cores that this process may use.
unsigned available_cores();

} // namespace socks4d
