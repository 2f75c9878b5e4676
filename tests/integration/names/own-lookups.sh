#!/bin/bash
# SPDX-License-Identifier: MIT
# The library's own look-ups, of the user's name and its server's, are left in the middle, or answered by a module of the
# name service switch that connects to a server in the process itself: tests/preload/nss_asks.c.
. "${0%/*}/../../lib/harness.sh"
in_namespaces
start_app
start_socks4d --threads 1
port=${SOCKS#*:}
echo 'passwd: asks files
hosts: files asks' >nsswitch.conf
mount --bind nsswitch.conf /etc/nsswitch.conf || exit
cp "$BUILD/preload/nss_asks.so" libnss_asks.so.2
export LD_LIBRARY_PATH=$WORK INJECT=$WORK/inject DESTINATION=$APP HOST_IP=$NET.1

by_user() { client leave "$1"; }
by_server() { USERID=known SOCKS=socks.test:$port client leave "$1"; }
# The module's connections are direct, the program's are not.
asking() {
  ASKS=$APP "$1" connect_in_look_up
  logged app "^peer 127.0.0.1"
  logged app "^peer $PEER"
}

for case in jump_from_look_up cancel_look_up cancel_look_up_async; do
  check "the user's name: $case" by_user "$case"
  check "the server's name: $case" by_server "$case"
done
only_proxied() {
  "$@"
  saw_only_peer app
}
check "the user's name: a signal handler connects" only_proxied by_user handler_in_look_up_of_user
check "the server's name: a signal handler connects" only_proxied by_server handler_in_look_up_of_server
check "the user's name, from a server" asking by_user
check "the server's name, from a server" asking by_server
