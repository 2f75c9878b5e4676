#!/bin/bash
# SPDX-License-Identifier: MIT
# A client on another machine (a network namespace with a cable) reaches what is open to the server's host only where a rule
# allows it.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/wire.sh"

in_namespaces
HERE=10.77.0.1 THERE=10.77.0.2 PEER=$HERE
start machine unshare --net sleep 1000
OTHER=${servers[-1]}
there=(nsenter --target "$OTHER" --net)
is_elsewhere() { [ "$(readlink "/proc/$OTHER/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
await is_elsewhere
ip link add cable type veth peer name cable netns "$OTHER" && ip addr add $HERE/24 dev cable && ip link set cable up &&
  "${there[@]}" ip addr add $THERE/24 dev cable && "${there[@]}" ip link set cable up && "${there[@]}" ip link set lo up || exit

# decides CODE STATEMENTS ASK-ARGUMENT...: the reply to the client on the other machine, under these rules.
decides() {
  configure "${2//;/$'\n'}" >/dev/null
  prints "$1" ask "${@:3}"
  if [ "$1$3" = 90connect ]; then logged app '^peer'; else never_logged app '^peer'; fi
}
still_here() {
  configure "" >/dev/null
  local requests=''
  prints "$1" ask "${@:2}"
}

wire_by=("${there[@]}")
start_wire
: >rules.conf
start app "$python" -B "$TOP/tests/servers/appserver.py" 0.0.0.0
announced app
port=${ADDRESS#*:}
start socks4d env "${sanitizer_options[@]}" "$BUILD/socks4d" --listen $HERE:0 --config "$WORK/rules.conf"
announced socks4d
SOCKS=$ADDRESS SOCKS4D=${servers[-1]}

check "the machine is reachable by its address" decides 90 "" connect "$HERE:$port"
for address in 127.0.0.1 "$NET.3"; do
  check "$address: not by default" decides 91 "" connect "$address:$port"
  for rule in allow "allow to 0.0.0.0/0" "allow to 0.0.0.0/1" "allow from $THERE" "allow to 126.0.0.0/7" "default allow"; do
    check "$address: nor by '$rule'" decides 91 "$rule" connect "$address:$port"
  done
  for rule in "allow to 127.0.0.0/8" "allow to $address" "allow to $address from $THERE port $port;deny"; do
    check "$address: by '$rule'" decides 90 "$rule" connect "$address:$port"
  done
  check "$address: not by a rule for another address" decides 91 "allow to 127.9.9.9" connect "$address:$port"
done
for name in localhost 127.1 0x7f000001 2130706433; do
  check "the name $name: not by default" decides 91 "allow" connect "$HERE:$port" name "$name"
  check "the name $name: by a rule" decides 90 "allow to 127.0.0.1" connect "$HERE:$port" name "$name"
done
for rule in "" "allow to 127.0.0.0/8;allow to 0.0.0.0"; do
  check "CONNECT to 0.0.0.0: never, by '$rule'" decides 91 "$rule" connect "0.0.0.0:$port"
done
check "BIND for one host" decides 90 "" bind $THERE:21
for rule in "" allow "allow command bind" "allow to 0.0.0.0/0" "allow to 127.0.0.0/8"; do
  check "BIND for anybody: not by '$rule'" decides 91 "$rule" bind 0.0.0.0:21
done
check "BIND for anybody: by a rule" decides 90 "allow to 0.0.0.0 from $THERE" bind 0.0.0.0:21
check "BIND for a call from loopback: not by default" decides 91 "" bind 127.0.0.1:21
check "the machine's own clients: its loopback" still_here 90 connect "127.0.0.1:$port"
check "the machine's own clients: BIND for anybody" still_here 90 bind 0.0.0.0:21

# With a single ephemeral port, a connection to that port connects the socket to itself.
only_port=40000
if echo $only_port $only_port 2>refused >/proc/sys/net/ipv4/ip_local_port_range; then
  check "a connection to itself is refused" still_here 91 connect "$HERE:$only_port"
else
  skip "a socket that has connected to itself" "the range of ports cannot be changed"
fi
