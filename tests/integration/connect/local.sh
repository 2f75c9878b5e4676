#!/bin/bash
# SPDX-License-Identifier: MIT
# What does not concern us is left alone: servers on loopback, servers of programs without a proxied connection, source
# addresses, UDP, Unix sockets. Loopback is direct here, as by default; the application server has an address that only the
# SOCKS server can reach.
. "${0%/*}/../../lib/harness.sh"

# The one for getsockname(): the shim cannot know that a connect() will follow.
asked_for_one_bind() { [ "$(since faulty | grep -c '^bind')" = 1 ] || { since faulty && false; }; }
untouched() {
  local app=203.0.113.3:${APP#*:} port
  port=$(unused_port)
  SOCKSIFY_LOOPBACK='' DESTINATION=$app SOURCE=0.0.0.0:$port client local
  logged faulty "^connect $app .* from 127.0.0.1:$port"
  saw_only_peer app
  asked_for_one_bind
}
# When loopback is not direct, IPv6 on loopback is refused like any other.
no_ipv6() {
  prints "connect: ENETUNREACH
SO_ERROR: 0
peer: ENOTCONN
connect elsewhere: ok
then: ok" client connect -6 ::1:9 "$APP"
}

start_app
start_faulty by-userid
check "what does not concern us" untouched
check "no IPv6" no_ipv6
