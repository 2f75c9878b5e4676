// SPDX-License-Identifier: MIT
// What is remembered of sockets that stay open in the program that takes this one's place: written into an environment
// variable before exec, read and removed at its load. A socket is known by its cookie, so that what is old, or of a
// program in between that did not load the library, is never believed.
#pragma once
#include "base/text.h"
#include "process/environment.h"

namespace socksify::exec_state {

inline constexpr int most = 64; // sockets

// "SOCKSIFY_STATE=..."
using Entry = Text<environment::state_variable.size() + 2 + most * 97>;

// `all`: those as well that are to be closed, because what posix_spawn() is to do with descriptors is not known. A
// CONNECT on its way is waited for: nobody would take it further. False if there is nothing to hand over.
bool write(Entry& entry, bool all);

// At load.
void read();

} // namespace socksify::exec_state
