#!/bin/bash
# SPDX-License-Identifier: MIT
# Routes: direct where NO_PROXY says so, and through the next server when one cannot be reached.
. "${0%/*}/../../lib/harness.sh"

mkdir site && head -c 300000 /dev/urandom >site/data && echo page >site/page
start_web "$WORK/site"
# shellcheck disable=SC2119
start_socks4d
GOOD=$SOCKS
DEAD=$NET.7:$(unused_port) ALSO_DEAD=$NET.8:$(unused_port)

# by SERVERS COMMAND...: runs it with the library alone, because the launcher checks the list itself.
by() {
  local list=$1
  shift
  [ -z "$runtime" ] || set -- "LD_PRELOAD=$runtime:$BUILD/libsocksify.so" "${sanitizer_options[@]}" \
    "ASAN_OPTIONS=$reports:verify_asan_link_order=0:detect_leaks=0" "$@"
  limit env "LD_PRELOAD=$BUILD/libsocksify.so" SOCKSIFY_LOOPBACK=proxy "SOCKS_SERVER=$list" "$@"
}
fetches_by() {
  by "$@" >got
  same got site/data
  saw_only_peer web
}

check "curl, the first server dead" fetches_by "$DEAD,$GOOD" curl -sS "http://$WEB/data"
check "curl, two dead, as URLs" fetches_by "socks4://me@$DEAD,socks4a://$ALSO_DEAD/,socks4a://$GOOD" curl -sS "http://$WEB/data"
check "curl, the first server's name unknown" fetches_by "no-such-host.invalid:1,$GOOD" curl -sS "http://$WEB/data"
check "a server by name" fetches_by "localhost:1,$GOOD" curl -sS "http://$WEB/data"
check "wget" fetches_by "$DEAD,$GOOD" wget -qO- "http://$WEB/data"
check "python, blocking" fetches_by "$DEAD,$GOOD" "$python" -c "
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen('http://$WEB/data').read())"
check "python, asyncio: epoll" fetches_by "$DEAD,$ALSO_DEAD,$GOOD" "$python" -c "
import asyncio, sys
async def fetch():
    reader, writer = await asyncio.open_connection('${WEB%:*}', ${WEB#*:})
    writer.write(b'GET /data HTTP/1.0\r\n\r\n')
    answer = await reader.read(-1)
    sys.stdout.buffer.write(answer.split(b'\r\n\r\n', 1)[1])
asyncio.run(fetch())"
check "python, select and a non-blocking connect" fetches_by "$DEAD,$GOOD" "$python" -c "
import select, socket, sys
s = socket.socket()
s.setblocking(False)
before = s.fileno()
s.connect_ex(('${WEB%:*}', ${WEB#*:}))
assert select.select([], [s], [], 10)[1] and s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
assert s.getpeername() == ('${WEB%:*}', ${WEB#*:}) and s.fileno() == before
s.setblocking(True)
s.sendall(b'GET /data HTTP/1.0\r\n\r\n')
sys.stdout.buffer.write(b''.join(iter(lambda: s.recv(65536), b'')).split(b'\r\n\r\n', 1)[1])"
if installed node; then
  check "node" fetches_by "$DEAD,$GOOD" node -e "
    require('http').get('http://$WEB/data', answer => answer.pipe(process.stdout))"
fi
if installed nc; then
  check "nc" fetches_by "$DEAD,$GOOD" sh -c "printf 'GET /data HTTP/1.0\r\n\r\n' | nc -N ${WEB%:*} ${WEB#*:} | sed '1,/^\r$/d'"
fi

# Both kinds of connect() report the errno of the last server.
all_dead() {
  prints "111 111 111" by "$DEAD,$ALSO_DEAD" "$python" -c "
import select, socket
s = socket.socket()
first = s.connect_ex(('${WEB%:*}', ${WEB#*:}))
t = socket.socket()
t.setblocking(False)
t.connect_ex(('${WEB%:*}', ${WEB#*:}))
select.select([], [t], [], 10)
print(first, t.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), s.connect_ex(('${WEB%:*}', ${WEB#*:})))"
}
check "no server can be reached" all_dead

# A server whose backlog is full: SYNs get no answer.
silent() {
  start silent "$python" -c "
import socket, time
s = socket.socket()
s.bind(('$NET.9', 0))
s.listen(0)
filling = []
for i in range(4):
    c = socket.socket()
    c.setblocking(False)
    c.connect_ex(s.getsockname())
    filling.append(c)
print('listening on %s:%d' % s.getsockname(), flush=True)
time.sleep(1000)"
  announced silent
}
silent
SILENT=$ADDRESS
check "a silent server gets a share of the time, blocking" fetches_by "$SILENT,$GOOD" \
  SOCKSIFY_TIMEOUT=8 "$python" -c "
import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen('http://$WEB/data').read())"
check "... and non-blocking" fetches_by "$SILENT,$GOOD" SOCKSIFY_TIMEOUT=8 curl -sS "http://$WEB/data"

# A server that replies 91 has been reached: the next is not asked.
start_faulty connect-refuse-91
refused() {
  fails by "$SOCKS,$GOOD" curl -sS "http://$WEB/page"
  never_logged web peer
}
check "a refusal is the answer" refused

# The first server exits while the program runs.
outlives_server() {
  local first
  start first "$BUILD/socks4d" --listen "$NET.1:0" --bind-address "$PEER"
  announced first
  first=${servers[-1]}
  rm -f go fifo
  mkfifo go
  by "$ADDRESS,$GOOD" "$python" -c "
import sys, urllib.request
for i in range(3):
    assert urllib.request.urlopen('http://$WEB/page').read() == b'page\n'
    print('fetched', flush=True)
    if i == 0: open('$WORK/go').read()" >fetched &
  local program=$!
  await grep -q fetched fetched
  kill "$first"
  wait "$first"
  echo >go
  wait "$program"
  prints 3 grep -c fetched fetched
  saw_only_peer web
}
check "a server that exits meanwhile" outlives_server

bind_follows_primary() {
  start second "$BUILD/socks4d" --listen "$NET.1:0" --bind-address "$NET.4"
  announced second
  by "$DEAD,$ADDRESS,$GOOD" "$python" -c "
import socket
primary = socket.create_connection(('${WEB%:*}', ${WEB#*:}))
s = socket.socket()
s.bind(('', 0))
s.listen()
print(s.getsockname()[0])" >got
  prints "$NET.4" cat got
}
check "a BIND goes to its primary's server" bind_follows_primary

# NO_PROXY, with a name from this host's files; names/calls.sh tests who resolves names.
SOCKS=$GOOD
direct() {
  by "$DEAD" SOCKSIFY_DNS=auto "NO_PROXY=$1" "${@:2}" >got
  same got site/page
  has web.log "^peer 127"
}
check "NO_PROXY: an address" direct "x,${WEB%:*}" curl --noproxy '*' -sS "http://$WEB/page"
check "NO_PROXY: a network" direct "127.0.0.0/8" curl --noproxy '*' -sS "http://$WEB/page"
check "NO_PROXY: everything" direct "*" curl -sS "http://$WEB/page"
start local "$python" -u -m http.server -d "$WORK/site" --bind 127.0.0.1 0
await grep -q 'port [0-9]' local.log
LOCAL=$(sed -n 's/.*port \([0-9]*\).*/\1/p' local.log)
by_name() { by "$DEAD" "NO_PROXY=$1" "$python" -c "
import socket
try:
    socket.create_connection(('localhost', $LOCAL))
    print('direct')
except ConnectionRefusedError:
    print('proxied')"; }
check "NO_PROXY: a name" prints direct by_name "x .LOCALHOST."
check "NO_PROXY: another name" prints proxied by_name "host,ocalhost"

# Anything that is not SOCKS4 is reported and denied.
fails_closed() {
  local status=0
  limit env "LD_PRELOAD=$BUILD/libsocksify.so" SOCKSIFY_LOOPBACK=proxy "$1=$2" "$python" -c "
import socket
print(socket.socket().connect_ex(('${WEB%:*}', ${WEB#*:})))" >out 2>errors || status=$?
  [ "$status" = 0 ]
  prints 13 cat out
  has errors "^socksify: $1=$2: SOCKS4 only"
  prints 1 grep -c . errors
}
if [ -z "$runtime" ]; then
  check "socks5:// fails closed" fails_closed SOCKS_SERVER "socks5://$GOOD"
  check "http:// fails closed" fails_closed ALL_PROXY "http://$GOOD"
fi
