#!/bin/bash
# SPDX-License-Identifier: MIT
# On systems without SO_COOKIE sockets have another identity.
. "${0%/*}/../../lib/harness.sh"

without() { through "$BUILD/programs/without_cookie" "$BUILD/programs/$1" "${@:2}"; }
connects() {
  without connect "$APP" >got
  client connect "$APP" >expected
  same expected got
  saw_only_peer app
}

start_app
start_socks4d
export DESTINATION=$APP ADVERTISED=$PEER CALLER=$NET.3 STRANGER=$NET.9
"$BUILD/programs/without_cookie" /bin/true 2>refused || { skip "no SO_COOKIE" "$(cat refused)" && exit; }
check "connect" connects
for case in typical silent_after_accept; do check "$case" without bind "$case"; done
