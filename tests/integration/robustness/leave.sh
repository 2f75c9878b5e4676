#!/bin/bash
# SPDX-License-Identifier: MIT
# A program leaves a call in the middle, by siglongjmp() from a signal handler or by cancelling the thread, wherever the
# library makes a call: tests/programs/faults/leave. Nothing of the library may be left behind.
. "${0%/*}/../../lib/harness.sh"

leave() {
  PRELOAD=$BUILD/preload/inject.so INJECT=$WORK/inject USERID=leave DESTINATION=$APP LIMIT=300 client leave "$1" >count || { cat count && false; }
  saw_only_peer app
}

start_app
start_socks4d --threads 1
for case in $("$BUILD/programs/leave" list | grep -v look_up); do check "$case" leave "$case"; done
# The library blocks signals only once it has seen a handler being installed.
for call in signal sigset syscall; do HANDLER_BY=$call check "poll.jump, with a handler by $call" leave poll.jump; done
