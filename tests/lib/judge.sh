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

# Where a direct connection can only be refused, a SOCKS server can also close the connection or deny the request: those
# cases differ in the errno alone.
as_by_socks() { # CASE
  case $1 in
    *closed | *reset) expected=${expected//ECONNREFUSED/ECONNRESET} ;;
    *.denied*) expected=${expected//ECONNREFUSED/EACCES} ;;
  esac
}
agrees() {
  local expected='' actual=''
  IFS= read -rd '' expected <"direct.$1/$2" || true # which has no NUL
  IFS= read -rd '' actual <"through.$1/$2" || true
  [[ $'\n'$expected = *$'\n'"ok $2"$'\n' ]] || { echo "without the shim: $expected" && false; }
  as_by_socks "$2"
  [ "$actual" = "$expected" ] || diff -au --label "without the shim" --label "with it" - "through.$1/$2" <<<"${expected%$'\n'}"
}

all_through() {
  CONTROL=$SLOW LIMIT=600 client "$1" into "through.$1" 1 "${@:2}"
  never_logged slow '^early|^not a request'
}

# judge PROGRAM [CASE...]: one check for each case of the program, or for those named. Each runs in a process of its own. A
# direct connection that has to wait continues when the kernel sends its SYN again, a second later, so the direct ones all
# wait at the same time.
judge() {
  local program=$1 name
  shift
  # shellcheck disable=SC2046 # names without blanks
  [ $# != 0 ] || set -- $("$BUILD/programs/$program" list)
  mkdir "direct.$program" "through.$program"
  CONTROL=$WORK/direct.control LIMIT=600 limit "$BUILD/programs/$program" into "direct.$program" 24 "$@"
  check "$program: nothing is sent too early" all_through "$program" "$@"
  for name; do check "$program: $name" agrees "$program" "$name"; done
}
