#!/bin/bash
# SPDX-License-Identifier: MIT
# A server that says a program's address is 127.0.0.1 does not get the program's private listener. The server is no
# loopback address, so this needs a network of its own.
. "${0%/*}/../../lib/harness.sh"

in_namespaces
for address in 1 2 3; do ip addr add "10.77.0.$address/32" dev lo; done

stays_private() {
  SOCKSIFY_LOOPBACK=direct USERID=connect-loopback through "$python" -c '
import socket, sys
outside = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("outside:", outside.getsockname()[0])
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print("listener:", listener.getsockname()[0])
inside = socket.create_connection(listener.getsockname())
print("caller:", listener.accept()[1] == inside.getsockname())
' "${APP%:*}" "${APP#*:}" >got
  same got - <<<'outside: 127.0.0.1
listener: 127.0.0.1
caller: True'
  logged faulty "^connect $APP connect-loopback"
  never_logged faulty '^bind'
}

start app "$python" -B "$TOP/tests/servers/appserver.py" 10.77.0.3
announced app
APP=$ADDRESS
start faulty "$python" -B "$TOP/tests/servers/faulty_socks.py" 10.77.0.1 10.77.0.2 by-userid
announced faulty
SOCKS=$ADDRESS
check "a listener at a loopback address that a server reported" stays_private
