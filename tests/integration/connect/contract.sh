#!/bin/bash
# SPDX-License-Identifier: MIT
# What a program sees of a connection, and what it can do with it: tests/programs/connect.
. "${0%/*}/../../lib/harness.sh"

# The name is the SOCKS server's outgoing address, the peer is the destination; flags, options and errno are unchanged.
good() {
  prints "connect: ok
SO_ERROR: 0
peer: $2
name: as seen by the server
answer: hello
connect again: EISCONN" client connect "${@:3}" "$1"
  saw_only_peer app
}
refused() {
  prints "connect: ECONNREFUSED
SO_ERROR: 0
peer: ENOTCONN
connect elsewhere: ok
then: ok" client connect "$@" "$APP"
}
contract() {
  client contract "$1"
  saw_only_peer app
}
# A reply without an address: the name is the SOCKS server's address and the socket's own port.
unknown_name() {
  client connect "$APP" >actual
  has actual "^name: ${SOCKS%:*}:"
}
address_that_is_not_local() {
  client connect "$APP" >actual
  has actual "^name: 203.0.113.2:"
}
no_server() {
  SOCKS=$NET.1:1 prints "connect: ECONNREFUSED
SO_ERROR: 0
peer: ENOTCONN" client connect "$APP"
}
userid() {
  USERID=$1 client connect "$APP"
  logged faulty "^connect $APP $1 from"
}

start_faultless() { start_faulty by-userid; }

start_app
export DESTINATION=$APP REFUSING=$NET.3:1
for socksd in socks4d danted faultless; do
  start_$socksd || continue
  check "IPv4 socket, $socksd" good "$APP" "$APP"
  check "v4-mapped address of an IPv6 socket, $socksd" good "$APP" "[::ffff:${APP%:*}]:${APP#*:}" -6
  check "refused, then connected, $socksd" refused "$NET.3:1"
  check "refused, then connected, IPv6 socket, $socksd" refused -6 "$NET.3:1"
  for case in $("$BUILD/programs/contract" list); do check "$case, $socksd" contract "$case"; done
done
check "userid" userid someone
check "userid of 255 bytes" userid "$(printf '%255s' '' | tr ' ' u)"
USERID=connect-zeros check "name without an address in the reply" unknown_name
USERID=connect-noaddress check "name with a port only in the reply" unknown_name
USERID=connect-away check "name that is not a local address" address_that_is_not_local
check "no SOCKS server" no_server
