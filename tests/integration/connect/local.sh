#!/bin/bash
# SPDX-License-Identifier: MIT
# What is none of our business stays as it is: servers on loopback, servers of programs that have no connection by way of the
# SOCKS server, source addresses, UDP, unix sockets. Loopback addresses are direct here, as they are by default; the
# application server has an address that only the SOCKS server knows the way to.
. "${0%/*}/../../lib/harness.sh"

# The one before getsockname(), which cannot know that a connect() will follow.
asked_for_one_bind() { [ "$(since faulty | grep -c '^bind')" = 1 ] || { since faulty && false; }; }
untouched() {
  local app=203.0.113.3:${APP#*:} port
  port=$(unused_port)
  SOCKSIFY_LOOPBACK='' DESTINATION=$app SOURCE=0.0.0.0:$port client local
  logged faulty "^connect $app .* from 127.0.0.1:$port"
  saw_only_peer app
  asked_for_one_bind
}
# IPv6 on loopback counts as any other IPv6 when loopback is not direct.
no_ipv6() {
  prints "connect: ENETUNREACH
SO_ERROR: 0
peer: ENOTCONN
connect elsewhere: ok
then: ok" client connect -6 ::1:9 "$APP"
}

start_app
start_faulty by-userid
check "none of our business" untouched
check "no IPv6" no_ipv6
