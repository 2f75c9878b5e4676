#!/bin/bash
# SPDX-License-Identifier: MIT
# SOCKSIFY_LEAK=deny: nothing leaves this host but through the SOCKS server, whatever kind of socket sends it. The network
# of this script has an address that is no loopback address; what arrives there has left.
. "${0%/*}/../../lib/harness.sh"
in_namespaces

OUTSIDE=192.0.2.1
# sends RESULT WHAT...: each line says this result.
sends() {
  local result=$1
  shift
  LIMIT=10 client leak "$@" 3<>"/dev/udp/$OUTSIDE/$PORT" >actual
  ! grep -v ": $result$" actual || { cat actual && false; }
}
# What comes after the marker would have come after it.
nothing_arrives() {
  echo marker >"/dev/udp/$OUTSIDE/$PORT"
  logged receiver marker
  never_logged receiver x
}
denied() {
  SOCKSIFY_LEAK=deny sends EACCES "$@"
  nothing_arrives
}
connected() { denied connected "$OUTSIDE" "$PORT"; }
by_python() {
  SOCKSIFY_LEAK=deny prints PermissionError through "$python" -c '
import socket
try:
    socket.socket(fileno=3).sendmsg([b"x"])
except PermissionError as error:
    print(type(error).__name__)' 3<>"/dev/udp/$OUTSIDE/$PORT"
  nothing_arrives
}
# AF_UNSPEC disconnects.
addressed() {
  SOCKSIFY_LEAK=deny client leak addressed "$OUTSIDE" "$PORT" >actual
  equal "$(grep -v ': EACCES$' actual)" "packet, bind: ok
AF_UNSPEC, connect: ok"
  nothing_arrives
}
blind() {
  SOCKSIFY_LEAK=deny client leak blind "$OUTSIDE" "$PORT" 3<>"/dev/udp/$OUTSIDE/$PORT" >actual
  equal "$(cat actual)" "sendto: EACCES
connect: EACCES
connected: EACCES
loopback: ok"
  nothing_arrives
}
ping_fails() { SOCKSIFY_LEAK=deny LIMIT=10 fails through busybox ping -c 1 -W 1 "$OUTSIDE"; }
pings_itself() { SOCKSIFY_LEAK=deny through busybox ping -c 1 -W 5 127.0.0.1; }
dns_by_tcp() {
  SOCKSIFY_LOOPBACK='' SOCKSIFY_LEAK=deny sends EACCES connect 127.0.0.1 53
  SOCKSIFY_LOOPBACK='' SOCKSIFY_LEAK=deny sends EACCES connect 0.0.0.0 53
  SOCKSIFY_LOOPBACK='' sends ECONNREFUSED connect 127.0.0.1 53
  SOCKSIFY_LOOPBACK='' SOCKSIFY_LEAK=deny sends ECONNREFUSED connect 127.0.0.1 54
  NO_PROXY=127.0.0.1 SOCKSIFY_LEAK=deny sends ECONNREFUSED connect 127.0.0.1 53
}
allowed() {
  sends ok connected "$OUTSIDE" "$PORT"
  logged receiver x
}
warned() {
  SOCKSIFY_LEAK=warn sends ok connected "$OUTSIDE" "$PORT" 2>errors
  equal "$(cat errors)" "socksify: leak sends datagrams that bypass the SOCKS server"
}

ip address add "$OUTSIDE/32" dev lo
start receiver "$python" -Bu -c '
import socket, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind((sys.argv[1], 0))
print("listening on %s:%d" % receiver.getsockname(), flush=True)
while True:
    print(receiver.recv(100).decode())' "$OUTSIDE"
announced receiver
PORT=${ADDRESS#*:}
start_faulty by-userid

check "a datagram socket that is connected at the start" connected
check "... by Python" by_python
check "raw and packet sockets, and AF_UNSPEC" addressed
check "getsockopt() is denied" blind
if installed busybox; then
  check "ping" ping_fails
  check "ping of this host" pings_itself
fi
check "TCP to a DNS server on this host" dns_by_tcp
check "allowed" allowed
check "with a warning" warned
