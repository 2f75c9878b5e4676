#!/bin/bash
# SPDX-License-Identifier: MIT
# rcmd(), rexec() and rresvport(), with which the C library connects by itself: real rsh and rcp, by names that only the SOCKS
# server can resolve. The server of this script is no real rshd, which wants calls from reserved ports: no SOCKS server
# promises those.
. "${0%/*}/../../lib/harness.sh"
. "${0%/*}/../../lib/names.sh"

HOST=web.inside.test
by_rsh() {
  prints "out" through netkit-rsh -n -l you "$HOST" 'echo out; echo err >&2' 2>errors
  equal "$(cat errors)" err
  logged rshd 'stderr to port'
  saw_only_peer rshd
  nobody_asked
}
by_rcp() {
  printf 'a file\n' >file
  through netkit-rcp file "you@$HOST:$WORK/copied"
  same file copied
  through netkit-rcp "you@$HOST:$WORK/copied" back
  same file back
  saw_only_peer rshd
}
# runs CALL PORT COMMAND: what the program reports.
runs() { client rcmd "$1" "$HOST" "$2" "$3"; }
rcmd() {
  prints "$HOST: ok
output: out
errors: err" runs rcmd 514 'echo out; echo err >&2'
  logged rshd 'stderr to port'
  saw_only_peer rshd
}
without_second() {
  prints "$HOST: ok
output: out" runs alone 514 'echo out'
  never_logged rshd 'stderr'
  saw_only_peer rshd
}
rexec() {
  prints "$HOST: ok
output: out
errors: err" runs rexec 512 'echo out; echo err >&2'
  logged rshd 'command you secret'
  saw_only_peer rshd
}
denied() {
  prints "$HOST: failed" runs denied 514 true 2>errors
  equal "$(cat errors)" "rshd: Permission denied."
}
unknown() {
  in_mode local fails through netkit-rsh -n nowhere.inside.test true 2>errors
  has errors 'nowhere.inside.test: Unknown host'
}
# The program tells the server the port that it got from rresvport().
rresvport() {
  prints "rresvport: ok
listen: ok
accept: ok
granted: ok
output: called" client rcmd rresvport "$NET.3" 514 ''
  saw_only_peer rshd
}
direct() {
  NO_PROXY=$NET.3 prints "$NET.3: ok
output: out
errors: err" client rcmd rcmd "$NET.3" 514 'echo out; echo err >&2'
  logged rshd '^peer 127.0.0.1:'
}

start rshd "$python" -B "$TOP/tests/servers/rshd.py" "$NET.3" 514 512
answers rshd "$NET.3:514"
start_socks4d
SOCKS=socks4a://$SOCKS

# Copies, which are not set-user-ID: we are root here already, but perhaps in a user namespace, where the originals belong
# to another user.
if installed netkit-rsh; then
  mkdir copies && cp "$(command -v netkit-rsh)" "$(command -v netkit-rcp)" copies && PATH=$WORK/copies:$PATH || exit
  check "rsh" by_rsh
  check "rcp" by_rcp
  check "an unknown name" unknown
fi
check "rcmd() with a second connection" rcmd
check "rcmd_af() without one" without_second
check "rexec()" rexec
check "a user who may not" denied
check "rresvport()" rresvport
check "past the SOCKS server, where NO_PROXY says so" direct
