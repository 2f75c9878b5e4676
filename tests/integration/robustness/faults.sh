#!/bin/bash
# SPDX-License-Identifier: MIT
# A SOCKS server that misbehaves: the errno is the documented one, the socket can connect again, no descriptor leaks, the
# program never reads a byte of SOCKS, and the server never receives a byte of the program too early.
. "${0%/*}/../../lib/harness.sh"

# connect_fails ACT ERRNO: when the server does ACT, connect() fails with ERRNO.
connect_fails() {
  USERID=connect-$1 prints "connect: $2
SO_ERROR: 0
peer: ENOTCONN
connect elsewhere: ok
then: ok" client connect "$APP" "$STEADY"
  never_logged faulty "^early"
}
succeeds() {
  USERID=connect-$1 prints "connect: ok
SO_ERROR: 0
peer: $APP
name: as seen by the server
answer: hello
connect again: EISCONN" client connect "$APP"
  never_logged faulty "^early"
}
refuses_bind() { USERID=bind-$1 ERROR=$2 client bind refused; }
deaf() {
  prints "connect: ECONNRESET
SO_ERROR: 0
peer: ENOTCONN
connect elsewhere: ECONNRESET
then: ENOTCONN" client connect "$APP" "$STEADY"
}
typical() {
  USERID=$1 ADVERTISED=$2 CALLER=$3 client bind typical
  never_logged faulty "^early"
}
no_call() { USERID=second-$1 ADVERTISED=$PEER client bind call_aborted; }

start_app
export DESTINATION=$APP
start_faulty by-userid
errors="close ECONNRESET  garbage EPROTO  rst ECONNRESET  rst-4 ECONNRESET
  refuse-91 ECONNREFUSED  refuse-92 EACCES  refuse-93 EACCES  code-91 ECONNREFUSED
  version-4 EPROTO  version-5 EPROTO  code-0 EPROTO  code-89 EPROTO  code-94 EPROTO  code-255 EPROTO"
for bytes in 0 1 2 3 4 5 6 7; do errors+=" eof-$bytes ECONNRESET"; done
while read -r act error; do
  check "CONNECT: $act" connect_fails "$act" "$error"
  check "BIND: $act" refuses_bind "$act" "$error"
done < <(xargs -n 2 <<<"$errors")
for act in bytewise glued halved slow; do check "CONNECT: $act" succeeds $act; done
export SOCKSIFY_TIMEOUT=1
check "CONNECT: silence" connect_fails silence ETIMEDOUT
check "BIND: silence" refuses_bind silence ETIMEDOUT
unset SOCKSIFY_TIMEOUT

for act in bytewise slow; do check "BIND: $act" typical bind-$act "$PEER" "$NET.3"; done
for act in bytewise glued halved slow zeros noaddress; do check "second reply: $act" typical second-$act "$PEER" "$NET.3"; done
check "an address that is not local" typical connect-away+bind-away+second-away 203.0.113.2 203.0.113.3
for act in refuse-91 code-91 close eof-1 eof-7 garbage version-4 rst rst-4; do check "second reply: $act" no_call $act; done

# "If the DSTIP in the reply is 0, then the client should replace it with the IP address of the SOCKS server"
PEER=$NET.1
start_faulty by-userid
check "BIND: no address" typical bind-noaddress "$NET.1" "$NET.3"
for act in close rst; do
  start_faulty deaf-$act
  check "$act without reading" deaf
done
