#!/bin/bash
# SPDX-License-Identifier: MIT
# Signals while the SOCKS server takes half a second for its answer: tests/programs/connect/signals.c.
. "${0%/*}/../../lib/harness.sh"

slowly() { USERID=connect-slow prints "$1" client signals "$2" "$APP" && never_logged faulty "^early"; }
accept() { prints "$1" client signals accept "$APP"; }

start_app
start_faulty by-userid
[ -z "$runtime" ] || skip "SA_RESTART" "a sanitizer has handlers of its own, without it"
[ -n "$runtime" ] || check "SA_RESTART: connect succeeds" slowly $'connect: ok\nalarms: some\ntalk: ok' restart
check "EINTR, connect again" slowly $'interrupted: EINTR\nconnect: ok\nalarms: some\ntalk: ok' retry
check "EINTR, wait and ask SO_ERROR" slowly $'connect: EINTR\npoll: 1\nagreed: yes' poll
check "EINTR, no byte of SOCKS is read" slowly $'connect: EINTR\nreads: nothing strange' give-up
check "EINTR of accept, accept again" accept $'connect: ok\ntalk: ok\ninterrupted: twice\naccept: ok\ncall: ok'
