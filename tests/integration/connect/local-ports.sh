#!/bin/bash
# SPDX-License-Identifier: MIT
# Local ports: those that programs choose, and what happens when none is left.
. "${0%/*}/../../lib/harness.sh"
in_namespaces

# connect_from PORT DESTINATION...: connections at the same time, from one port; 0: from any.
connect_from() {
  through "$python" - "$@" <<'END'
import socket, sys
held = []
for text in sys.argv[2:]:
    ip, port = text.split(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.argv[1] != "0":
        sock.bind(("", int(sys.argv[1])))
    sock.settimeout(30)
    sock.connect((ip, int(port)))
    held.append(sock)
for sock in held:
    greeting = sock.makefile().readline().split()
    print(greeting[0], sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
    assert greeting[1] == "%s:%d" % sock.getsockname(), (greeting, sock.getsockname())
END
}
one_port() {
  prints "app True
app True
app True" connect_from "$(unused_port)" "$APP" "$OTHER" "$APP"
  saw_only_peer app
}
# With two local ports, the third connection gets none.
none_left() {
  echo "40000 40001" >/proc/sys/net/ipv4/ip_local_port_range
  SOCKS_DEBUG=1 SOCKS_LOGOUTPUT=$WORK/none-left fails connect_from 0 "$APP" "$OTHER" "$APP"
  has none-left 'EADDRNOTAVAIL .*: this host has no local port for a connection to the SOCKS server$'
}

start_app
start other "$python" -B "$TOP/tests/servers/appserver.py" "$NET.4"
announced other
OTHER=$ADDRESS
start_socks4d
check "one port for several destinations" one_port
if [ -w /proc/sys/net/ipv4/ip_local_port_range ]; then check "no port is left" none_left; else skip "no port is left" "the range of ports is fixed"; fi
