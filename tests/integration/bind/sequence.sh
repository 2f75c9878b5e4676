#!/bin/bash
# SPDX-License-Identifier: MIT
# Calls from the application server to a listening socket, in the sequence of the specification: tests/programs/bind/bind.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/cases.sh"

typical() {
  client bind typical
  logged app "^call $NET.3:.* to $PEER"
}
on_ipv6_socket() { FAMILY=6 "$@"; }

start_app
export DESTINATION=$APP ADVERTISED=$PEER CALLER=$NET.3 STRANGER=$NET.9
for socksd in socks4d danted; do
  start_$socksd || continue
  check "typical, $socksd" typical
  check "typical, IPv6 socket, $socksd" on_ipv6_socket typical
  check "buffers, IPv6 socket, $socksd" on_ipv6_socket client bind buffers
  # The others need a misbehaving server: robustness/faults.sh.
  # shellcheck disable=SC2046 # names without blanks
  each_case "%, $socksd" 1 bind $("$BUILD/programs/bind" list | grep -vxE 'typical|call_aborted|refused')
done
