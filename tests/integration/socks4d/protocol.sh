#!/bin/bash
# SPDX-License-Identifier: MIT
# socks4d and the specification, to the letter: tests/programs/socks4d/{requests,connect,bind}.py send it literal
# bytes. And it serves the clients that people have.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/wire.sh"

through_curl() {
  prints "hello" limit curl -sS --noproxy '' --proxy "$1://fred@$SOCKS" "http://$WEB/hello"
  saw_only_peer web
}
# Each of these says "end" to the application server and prints its greeting.
through_ncat() { limit ncat --proxy "$SOCKS" --proxy-type socks4 "${APP%:*}" "${APP#*:}" <<<end; }
through_nc() { limit nc -X 4 -x "$SOCKS" "${APP%:*}" "${APP#*:}" <<<end; }
greeted() { prints "app $PEER" eval "$1 | sed 's/:[0-9]*\$//'"; }
reset_is_none() {
  wire requests reset_is_none "$WORK/session.log"
  never_logged session 'result=(granted|rejected)'
}

start_wire
start_socks4d --log "$WORK/session.log"
wire connect looks_into_the_server >look 2>&1 || skip "TCP_NODELAY" "$(cat look)"
for script in requests connect bind; do
  for case in $(wire $script list); do
    case $case in
      *_limit) ;;
      small_writes) [ -s look ] || wire_checks $script "$case" ;;
      *) wire_checks $script "$case" ;;
    esac
  done
done
check "a reset before the last reply is result=none in the log" reset_is_none

start_app
mkdir web && echo hello >web/hello && start_web web
! installed curl || for scheme in socks4 socks4a; do check "curl, $scheme" through_curl $scheme; done
! installed ncat || check "ncat" greeted through_ncat
! installed nc || check "nc -X 4" greeted through_nc

printf '%s-timeout 1\n' request connect bind >limits.conf
start_socks4d --config limits.conf
wire_checks requests request_limit
wire_checks connect connect_limit
wire_checks bind bind_limit
