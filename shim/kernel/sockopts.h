// SPDX-License-Identifier: MIT
// Socket options of the program's that a handshake has to respect. Noted as they are first used anywhere in
// the process, so that no connect() need ask for options that nobody sets.
#pragma once
#include "kernel/deadline.h"

namespace socksify::sockopts {

// setsockopt() with these arguments has succeeded.
void note(int level, int option);

// When a blocking send or connect, a blocking receive on this socket has to end: SO_SNDTIMEO, SO_RCVTIMEO.
Deadline send_deadline(int fd);
Deadline receive_deadline(int fd);

// Sets SO_RCVLOWAT to 1 and returns what it was: a program that wants many bytes at a time would not be woken for a
// reply.
int take_low_water_mark(int fd);

} // namespace socksify::sockopts
