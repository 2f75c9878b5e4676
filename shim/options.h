// SPDX-License-Identifier: MIT
// Socket options of the program's that a handshake has to respect. Noted as they are first used anywhere in
// the process, so that no connect() need ask for options that nobody sets.
#pragma once

namespace socksify::options {

// setsockopt() with these arguments has succeeded.
void note(int level, int option);

bool uses_send_timeout();    // SO_SNDTIMEO
bool uses_receive_timeout(); // SO_RCVTIMEO
bool uses_low_water_mark();  // SO_RCVLOWAT

} // namespace socksify::options
