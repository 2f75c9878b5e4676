# shellcheck shell=bash disable=SC2034,SC2154 # variables that are shared with harness.sh and the scripts
# SPDX-License-Identifier: MIT
# The kernel is the judge: a program is run without the shim against a server that the kernel itself makes slow, and with
# the shim against a SOCKS server that is as slow; the facts have to be the same. Sourced after harness.sh.

# tests/servers/slow_socks.py, twice. $SLOW and $DIRECT are where each is told what to do.
start_slow() {
  local DIRECT=$WORK/direct.control
  SLOW=$WORK/slow.control
  start slow "$python" -B "$TOP/tests/servers/slow_socks.py" "$SLOW" "$NET.1" "$NET.3"
  start direct "$python" -B "$TOP/tests/servers/slow_socks.py" "$DIRECT" --direct "$NET.3"
  announced direct
  announced slow
  SOCKS=$ADDRESS
}

# directly PROGRAM CASE, slowly PROGRAM CASE: what it prints, and how it ends.
# The SOCKS server may end the connection, or refuse it for another reason, where the kernel can only be refused one: the
# same, but for the errno.
directly() {
  local errno=s/x/x/
  case $2 in *closed | *reset) errno=s/ECONNREFUSED/ECONNRESET/ ;; *.denied*) errno=s/ECONNREFUSED/EACCES/ ;; esac
  (CONTROL=$WORK/direct.control LIMIT=${LIMIT:-180} limit "$BUILD/programs/$1" "${@:2}" 2>&1 || echo "exit status $?") | sed "$errno"
}
slowly() {
  CONTROL=$SLOW client "$@" 2>&1 || echo "exit status $?"
}

agrees() {
  slowly "$1" "$2" >through && same "$1.$2" through && never_logged slow '^early|^not a request'
}

# judge PROGRAM [CASE...]: a check for each case that the program has (or for those named). A connection that waits in the
# kernel goes on when its SYN is sent again, a second later: the direct ones all wait at the same time.
judge() {
  local program=$1 name judges=()
  shift
  # shellcheck disable=SC2046 # names without blanks
  [ $# != 0 ] || set -- $("$BUILD/programs/$program" list)
  for name; do
    directly "$program" "$name" >"$program.$name" &
    judges+=($!)
    [ ${#judges[@]} -lt 24 ] || { wait "${judges[0]}" && judges=("${judges[@]:1}"); } # all at once would be slower than their limits
  done
  wait "${judges[@]}"
  for name; do check "$program: $name" agrees "$program" "$name"; done
}
