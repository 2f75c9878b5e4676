// SPDX-License-Identifier: MIT
// What fork() means for what we remember: a child shares the sockets of its parent, and the CONNECTs on their way.
#pragma once
#include <cstdint>

namespace socksify::forks {

// At load, and before there is anything to share.
void watch();

// Changes before each fork of this process, and after it in the parent and in the child: what carries another count
// than this may be known to another process. So may what a thread begins while another one forks.
uint32_t count();

// From the first call on, so that a process whose children have nothing of ours does not pay for them.
void mind();
// True if there has been a fork since: a child, or a parent, may share what we have.
bool may_share();

// A socket of another process has come by exec: it may be shared from the beginning.
void note_inherited();

// getpid() is a system call.
int own_pid();

} // namespace socksify::forks
