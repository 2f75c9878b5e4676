// SPDX-License-Identifier: MIT
// The program's socket options that a handshake has to respect. Their first use anywhere in the process is recorded, so
// that connect() does not query options that nobody sets.
#pragma once
#include "kernel/deadline.h"

namespace socksify::sockopts {

// Called after a successful setsockopt().
void record_use(int level, int option);

// When a blocking send or connect (SO_SNDTIMEO) or a blocking receive (SO_RCVTIMEO) on this socket times out.
Deadline send_deadline(int fd);
Deadline receive_deadline(int fd);

// Sets SO_RCVLOWAT to 1 and returns the old value: with a larger one, the socket may not become readable when the reply
// arrives.
int reset_low_water_mark(int fd);

} // namespace socksify::sockopts
