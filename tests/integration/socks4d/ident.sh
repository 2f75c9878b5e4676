#!/bin/bash
# SPDX-License-Identifier: MIT
# IDENT: socks4d asks the client's host who the client is. identd.py at $NET.6 can fail in every way; $NET.7 has no identd; or the one that tests/programs/socks4d/ident.py plays.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/wire.sh"

identd() { echo "$*" >identd.mode; }
# replies CODE COMMAND [ASK-ARGUMENT...]: the reply to a client on identd's host; a refused one reaches nobody.
replies() {
  prints "$1" ask "$2" "$APP" from "$NET.6" "${@:3}"
  if [ "$1$2" = 90connect ]; then logged app '^peer'; else never_logged app '^peer'; fi
}
asked_right() {
  replies "$@"
  logged identd "^asked $(cut -d : -f 2 client) , ${SOCKS#*:} from ${SOCKS%:*} "
}
not_asked() {
  identd other fred
  replies 90 "$1"
  never_logged identd .
}
denied() {
  identd user fred
  replies 91 "$1"
  never_logged identd .
}
no_identd() { prints 92 ask "$1" "$APP" from "$NET.7"; }

IDENT_PORT=$(unused_port)
export IDENT_PORT
start_wire
start identd "$python" -B "$TOP/tests/servers/identd.py" "$NET.6" "$IDENT_PORT" @identd.mode
announced identd
start_app
: >rules.conf
start_socks4d --config rules.conf --ident-port "$IDENT_PORT" --log "$WORK/session.log"

for command in connect bind; do check "$command: off, so identd is not asked" not_asked $command; done
configure "ident require" >/dev/null
for command in connect bind; do
  identd user fred
  check "$command: the user, with the right pair of ports" asked_right 90 $command
  check "$command: a userid in capitals differs" replies 93 $command user FRED
  check "$command: the beginning of a userid differs" replies 93 $command user fre
  check "$command: no userid differs" replies 93 $command user ''
  identd bare fred
  check "$command: the user, in the shortest form" replies 90 $command
  identd other fred
  check "$command: another user" replies 93 $command
  for mode in error garbage ports eof long close; do
    identd $mode fred
    check "$command: $mode" replies 92 $command
  done
  check "$command: no identd" no_identd $command
done
wire_checks ident in_pieces half_closed
check "$(wire ident name client_left)" wire ident client_left "$WORK/session.log"

configure "ident require" "default deny" >/dev/null
for command in connect bind; do check "$command: denied in any case, so identd is not asked" denied $command; done

configure "ident require" "ident-timeout 1" >/dev/null
for command in connect bind; do
  for mode in silent slow; do
    identd $mode fred
    check "$command: $mode" replies 92 $command
  done
done
wire_checks ident filtered

configure "ident require" "connect-timeout 1" "bind-timeout 1" >/dev/null
check "$(wire ident name too_late)" wire ident too_late "$WORK/session.log"
