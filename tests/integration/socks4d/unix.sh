#!/bin/bash
# SPDX-License-Identifier: MIT
# socks4d on a Unix socket: curl uses it, the kernel says who the client is, and the socket is removed at the end.
. "${0%/*}/../../lib/harness.sh"

fetches() { limit curl -sS --fail --noproxy '' --proxy "$1://localhost$WORK/socket" "http://$WEB/file" | cmp - www/file; }
# one NAME=VALUE...: the log has each of them.
one() {
  for field; do logged unixd "$field"; done
}
with_userid() { curl -sS --fail --proxy "socks4://$1@localhost$WORK/socket" "http://$WEB/file" | cmp - www/file; }
of_own_user() {
  with_userid "$(id -un)"
  one 'client=unix' 'result=granted'
}
of_another_user() {
  fails with_userid "x$(id -un)"
  one 'client=unix' 'result=userid-mismatch'
}
is_in_use() {
  fails limit "$BUILD/socks4d" --listen "unix:$WORK/socket" 2>message
  has message "unix:$WORK/socket: Address already in use"
}
answers_nobody() { ! limit ncat -U --send-only socket </dev/null; }
is_gone() { [ ! -e socket ]; }
ends() {
  kill "$1"
  await is_gone
}
takes_over() {
  kill -KILL "$1"
  await answers_nobody
  [ -S socket ]
  begin
  fetches socks4
  ends "$server"
}
begin() {
  start unixd env "${sanitizer_options[@]}" "$BUILD/socks4d" --listen "unix:$WORK/socket" --log - "$@"
  server=${servers[-1]}
  await grep -q "listening on unix:$WORK/socket" unixd.log
}
relative() {
  fails limit "$BUILD/socks4d" --listen unix:socket 2>message
  has message 'listen unix:socket: expected'
}

mkdir www
head -c 3000000 /dev/urandom >www/file
start_web www
begin
check "CONNECT by a Unix socket" fetches socks4
check "the same by a name" fetches socks4a
check "a socket in use" is_in_use
check "the socket is removed at the end" ends "$server"
begin
check "a socket left behind is taken over" takes_over "$server"
echo 'ident require' >require.conf
begin --config require.conf
check "the kernel names the user" of_own_user
check "and no others" of_another_user
check "a relative path is refused" relative
