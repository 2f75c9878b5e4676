#!/bin/bash
# SPDX-License-Identifier: MIT
# TCP Fast Open, when both sides ask for it: the request travels in the SYN, as the kernel's counter shows. In a network
# namespace, where the sysctl may be changed.
. "${0%/*}/../../lib/harness.sh"

in_namespaces
switch=/proc/sys/net/ipv4/tcp_fastopen
echo 3 2>refused >$switch || { skip "fast open" "$(tail -n 1 refused)" && exit; }

mkdir site && echo "the page" >site/page
start_web site
start_socks4d --fast-open
export SOCKSIFY_FASTOPEN=1

# The number of connections whose SYN carried data.
counted() {
  awk '$1 == "TcpExt:" { if (names) for (i in name) if (name[i] == "TCPFastOpenPassive") print $i; names = split($0, name) }' /proc/net/netstat
}
blocking='import socket, sys
host, port = sys.argv[1].split(":")
s = socket.create_connection((host, int(port)))
s.sendall(b"GET /page HTTP/1.0\r\n\r\n")
print(s.makefile().read().splitlines()[-1])'
fetch_blocking() {
  through "$python" -c "$blocking" "$WEB" >got
  same got site/page
}
fetch_nonblocking() {
  through curl -sS "http://$WEB/page" >got
  same got site/page
}
# fast COUNT COMMAND...: COUNT of its connections did.
fast() {
  local before
  before=$(counted)
  "${@:2}"
  echo "fast: $(($(counted) - before))"
  [ $(($(counted) - before)) = "$1" ]
}
refused() {
  fails through "$python" -c "$blocking" "$WEB" 2>errors
  grep -q "ConnectionRefusedError" errors
}
calls() {
  limit strace -f -o trace -e trace=connect,sendto -E "LD_PRELOAD=$BUILD/libsocksify.so" -E "SOCKS_SERVER=$SOCKS" \
    -E SOCKSIFY_LOOPBACK=proxy "$python" -c "$blocking" "$WEB"
  cat trace
  grep -q 'sendto(.*MSG_FASTOPEN' trace
  fails grep -q 'connect(.*AF_INET' trace
}

check "the first connection gets the cookie" fast 0 fetch_blocking
check "a blocking connect()" fast 1 fetch_blocking
check "a non-blocking connect()" fast 1 fetch_nonblocking
[ -n "$runtime" ] || ! installed strace || check "one system call for connection and request" calls
SOCKS=$SOCKS,$SOCKS check "off with several servers" fast 0 fetch_blocking
SOCKSIFY_FASTOPEN=0 check "only on request" fast 0 fetch_blocking
check "still, after that" fast 1 fetch_nonblocking

echo 0 >$switch
check "switched off: a blocking connect()" fast 0 fetch_blocking
check "switched off: a non-blocking connect()" fast 0 fetch_nonblocking
echo 1 >$switch
check "switched off for servers" fast 0 fetch_blocking
echo 3 >$switch

kill "$SOCKS4D" && wait "$SOCKS4D"
check "a server that is gone" refused
start_socks4d
check "a server without it: a blocking connect()" fast 0 fetch_blocking
check "a server without it: a non-blocking connect()" fast 0 fetch_nonblocking
