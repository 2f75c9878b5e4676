// SPDX-License-Identifier: MIT
// What the launcher says: what was asked for, on stdout, and in one line, on stderr, why it ends.
#pragma once
#include "launcher/complaint.h"
#include "launcher/memory.h"

namespace socksify::launcher {

// Exit statuses as env(1) has them.
enum Status { our_failure = 125, cannot_run = 126, not_found = 127 };

[[noreturn]] void fail(Status status, Parts reason);
[[noreturn]] void fail(std::string_view where, const Complaint& complaint);
[[noreturn]] void out_of_memory();

using Teller = void (*)(const char* reason);
// From now on a failure is told by this, which does not return.
void tell_failures_by(Teller teller);

[[noreturn]] void print_and_end(std::string_view text);

} // namespace socksify::launcher
