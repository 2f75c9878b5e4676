#!/bin/bash
# SPDX-License-Identifier: MIT
# Calls from the application server, as the specification's typical sequence has them: tests/programs/bind/bind.c.
. "${0%/*}/../../lib/harness.sh"

typical() {
  prints "bind: ok
name: $1
listen: ok
name afterwards: the same
accept: ok
caller: $2
length: $3
its peer: the caller
its name: the advertised one
flags: 0 0, SO_RCVLOWAT: 1
call: ok
primary: ok
file descriptors more than before: 0" client bind typical "${@:4}" && logged app "^call $NET.3:.* to $PEER"
}
null() {
  prints "accept: ok
caller: $NET.3
call: ok" client bind null "$APP"
}
flags() {
  prints "accept4: 1 1
listening: as before
accept before the call: EAGAIN
accept: 0 0
listening: 1 1
accept4 with a wrong flag: EINVAL" client bind flags "$APP"
}
two() {
  prints "call: ok
call: ok
first: ok
second: ok" client bind two "$APP"
}
waiting() {
  prints "before: nothing
poll: a call
call: ok
after: nothing
before: nothing
select: a call
call: ok
after: nothing" client bind waiting "$APP"
}
silent() {
  prints "SO_ACCEPTCONN: 1, SO_ERROR: 0, peer: ENOTCONN
SO_ACCEPTCONN: 1, SO_ERROR: 0, peer: ENOTCONN
of the accepted: 0
name: as advertised
silent: yes
read: ENOTCONN
shutdown: ok
read: ENOTCONN
call: ok
its end: end" client bind silent "$APP"
}
places() {
  prints "before bind: 0.0.0.0:0
unbound: ok
fixed port: ok
the primary's address: ok
bind twice: EINVAL" client bind places "$APP"
}
buffers() {
  prints "bind, 128 bytes: ok
name of the primary: ok, length $1, no address: EFAULT
peer of the primary: ok, length $1, no address: EFAULT
name of the listening: ok, length $1, no address: EFAULT
accept, 4 bytes: family right, length $1, rest aaaaaaaa
name of the accepted: ok, length $1, no address: EFAULT
peer of the accepted: ok, length $1, no address: EFAULT" client bind buffers "${@:2}"
}
forked() {
  prints "call: ok
primary: ok" client bind forked "$APP"
}
flood() { prints "whole: 100 of 100" client bind flood "$APP"; }
stranger() {
  prints "primary: calling
accept: ECONNABORTED
silent: yes
primary: ok" client bind stranger "$APP" "$NET.9"
}

start_app
for socksd in socks4d danted; do
  start_$socksd || continue
  check "typical sequence, $socksd" typical "$PEER" "$NET.3" 16 "$APP"
  check "typical sequence, IPv6 socket, $socksd" typical "[::ffff:$PEER]" "[::ffff:$NET.3]" 28 "$APP" -6
  for feature in null flags two waiting silent places forked stranger flood; do check "$feature, $socksd" $feature; done
  check "buffers of every size, $socksd" buffers 16 "$APP"
  check "buffers of every size, IPv6 socket, $socksd" buffers 28 "$APP" -6
done
