#!/bin/bash
# SPDX-License-Identifier: MIT
# A program that waits without libc: tests/programs/async/own_waits.
. "${0%/*}/../../lib/harness.sh"

connects_and_waits() {
  prints $'events: 1, writable: 1, data: 4711\nreceived: 3, app' client own_waits "${APP%:*}" "${APP#*:}"
  saw_only_peer app
}
is_refused() { prints ECONNREFUSED client own_waits "$NET.3" 9; }

start_socks4d
start_app
check "waits by machine code" connects_and_waits
check "waits by machine code, refused" is_refused
