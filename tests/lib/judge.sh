# shellcheck shell=bash disable=SC2034,SC2154 # variables that are shared with harness.sh and the scripts
# SPDX-License-Identifier: MIT
# The kernel is the judge. A program runs without the shim against a server that the kernel makes slow, and under the shim
# against a SOCKS server that is just as slow; it must print the same facts. Source this after harness.sh.

# Starts tests/servers/slow_socks.py twice, once without SOCKS. $SLOW and $DIRECT are the sockets that control them.
start_slow() {
  local DIRECT=$WORK/direct.control
  SLOW=$WORK/slow.control
  start slow "$python" -B "$TOP/tests/servers/slow_socks.py" "$SLOW" "$NET.1" "$NET.3"
  start direct "$python" -B "$TOP/tests/servers/slow_socks.py" "$DIRECT" --direct "$NET.3"
  announced direct
  announced slow
  SOCKS=$ADDRESS
}

# directly PROGRAM CASE, slowly PROGRAM CASE: print the facts and the exit status, without and with the shim.
# Where a direct connection can only be refused, a SOCKS server can also close the connection or deny the request: those
# cases differ in the errno alone, so directly translates it.
directly() {
  local errno=s/x/x/
  case $2 in *closed | *reset) errno=s/ECONNREFUSED/ECONNRESET/ ;; *.denied*) errno=s/ECONNREFUSED/EACCES/ ;; esac
  (CONTROL=$WORK/direct.control LIMIT=${LIMIT:-180} limit "$BUILD/programs/$1" "${@:2}" 2>&1 || echo "exit status $?") | sed "$errno"
}
slowly() {
  CONTROL=$SLOW client "$@" 2>&1 || echo "exit status $?"
}

agrees() {
  slowly "$1" "$2" >through
  same "$1.$2" through
  never_logged slow '^early|^not a request'
}

# judge PROGRAM [CASE...]: one check for each case of the program, or for those named. A direct connection that has to wait
# continues when the kernel sends its SYN again, a second later, so the direct runs all wait at the same time.
judge() {
  local program=$1 name judges=()
  shift
  # shellcheck disable=SC2046 # names without blanks
  [ $# != 0 ] || set -- $("$BUILD/programs/$program" list)
  for name; do
    directly "$program" "$name" >"$program.$name" &
    judges+=($!)
    [ ${#judges[@]} -lt 24 ] || { wait "${judges[0]}" && judges=("${judges[@]:1}"); } # more would exceed their time limits
  done
  wait "${judges[@]}"
  for name; do check "$program: $name" agrees "$program" "$name"; done
}
