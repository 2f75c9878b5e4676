#!/bin/bash
# SPDX-License-Identifier: MIT
# A server on a Unix socket: the shim replaces the program's socket by a Unix socket, and the program does not notice.
. "${0%/*}/../../lib/harness.sh"

mkdir site && head -c 300000 /dev/urandom >site/data
start_web "$WORK/site"
start unix "$BUILD/socks4d" --listen "unix:$WORK/socks" --bind-address "$PEER"
await test -S socks || failed_to_start unix

# by SERVERS COMMAND...: runs it with the library alone.
by() {
  local list=$1
  shift
  limit env "LD_PRELOAD=$BUILD/libsocksify.so" SOCKSIFY_LOOPBACK=proxy "SOCKS_SERVER=$list" "$@"
}
fetches_by() {
  by "$@" >got
  same got site/data
  saw_only_peer web
}
server=unix:$WORK/socks
host=${WEB%:*} port=${WEB#*:}
[ -z "$runtime" ] || { skip unix "its programs are started without the runtime of the sanitizer" && exit; }

check "curl" fetches_by "$server" curl -sS "http://$WEB/data"
check "wget" fetches_by "$server" wget -qO- "http://$WEB/data"
check "after a dead server" fetches_by "$NET.7:1,$server" wget -qO- "http://$WEB/data"
check "before a server that is gone" fetches_by "unix:$WORK/gone,$server" curl -sS "http://$WEB/data"
check "asyncio: epoll" fetches_by "$server" "$python" -c "
import asyncio, sys
async def fetch():
    reader, writer = await asyncio.open_connection('$host', $port)
    writer.write(b'GET /data HTTP/1.0\r\n\r\n')
    sys.stdout.buffer.write((await reader.read(-1)).split(b'\r\n\r\n', 1)[1])
asyncio.run(fetch())"
looks_like_tcp() {
  prints "$host $port $PEER AF_INET 6 0 False" by "$server" "$python" -c "
import os, socket
s = socket.socket()
t = s.dup()
s.settimeout(30)
s.connect(('$host', $port))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
assert t.getpeername() == s.getpeername()
family = socket.socket(fileno=os.dup(s.fileno())).family
print(*s.getpeername(), s.getsockname()[0], family.name, s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL),
      s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), os.get_inheritable(s.fileno()))"
}
check "addresses, family, options and dups" looks_like_tcp
refused() {
  prints "111 111 111" by "$server" "$python" -c "
import select, socket
s = socket.socket()
t = socket.socket()
t.setblocking(False)
t.connect_ex(('$host', 1))
select.select([], [t], [], 10)
print(s.connect_ex(('$host', 1)), s.connect_ex(('$host', 1)), t.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))"
}
check "a refusal, and the socket is free again" refused
disconnected() {
  prints "0 True HTTP" by "$server" "$python" -c "
import ctypes, select, socket
s = socket.create_connection(('$host', $port))
waiting = select.epoll()
waiting.register(s, select.EPOLLIN)
nobody = ctypes.create_string_buffer(16) # AF_UNSPEC
result = ctypes.CDLL(None).connect(s.fileno(), nobody, 16)
s.connect(('$host', $port))
s.sendall(b'GET /data HTTP/1.0\r\n\r\n')
print(result, waiting.poll(10) == [(s.fileno(), select.EPOLLIN)], s.recv(4).decode())"
}
check "a connection is dissolved, and made anew" disconnected
bind_answers() {
  prints "$PEER" by "$server" "$python" -c "
import socket
primary = socket.create_connection(('$host', $port))
s = socket.socket()
s.bind(('', 0))
s.listen()
print(s.getsockname()[0])"
}
check "BIND" bind_answers
listens_again() {
  prints "$PEER True" by "$server" "$python" -c "
import socket
primary = socket.create_connection(('$host', $port))
s = socket.socket()
s.listen()
before = s.getsockname()
s.shutdown(socket.SHUT_RD)
s.listen()
print(s.getsockname()[0], s.getsockname() != before)"
}
check "a BIND after the end of another" listens_again
