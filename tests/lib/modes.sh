# shellcheck shell=bash disable=SC2154 # what harness.sh has set
# SPDX-License-Identifier: MIT
# Test suites of others in three modes: "plain", without our library; "direct", with it, loopback addresses being direct;
# "proxied", with everything through socks4d. A test whose result depends on the mode fails here, unless
# tests/foreign/reasons says why. A script sources this after harness.sh, defines
#
#   run_suite RESULTS PROGRAM...        runs these programs or modules of the suite; a line "TEST RESULT" for each test
#   run_again RESULTS PROGRAM TEST      runs one test of them
#
# by way of `in_this_mode COMMAND...`, and calls compare_modes SUITE PROGRAM...

# IPv6 is not proxied: the suites skip its tests if this host has none.
in_namespaces
echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6

in_this_mode() {
  case $MODE in
    plain) limit "$@" ;;
    direct) SOCKSIFY_LOOPBACK=direct through "$@" ;;
    proxied) through "$@" ;;
  esac
}

# has_reason SUITE TEST MODE: the list has a line "SUITE TEST MODE REASON" for it; TEST may be a pattern, and MODE "any".
has_reason() {
  local suite test mode reason
  while read -r suite test mode reason; do
    # shellcheck disable=SC2053 # a pattern
    [[ $suite = "$1" && $2 = $test && $mode =~ ^($3|any)$ && -n $reason ]] && return
  done <"$TOP/tests/foreign/reasons"
  return 1
}

# differences FILE FILE: the tests whose results differ, and those that only one of them has.
differences() { join -a 1 -a 2 -e missing -o 0,1.2,2.2 "$1" "$2" | awk '$2 != $3 {print $1}'; }

# result MODE PROGRAM TEST: of this test alone.
result() {
  rm -f again
  MODE=$1 run_again again "$2" "$3" >again.log 2>&1 || true
  tail -n 1 again | cut -d ' ' -f 2
}
# comes_again MODE PROGRAM TEST: the difference shows three times out of three. Many tests of others have time limits that a
# busy machine exceeds.
comes_again() {
  local time expected actual
  for time in 1 2 3; do
    expected=$(result plain "$2" "$3")
    actual=$(result "$1" "$2" "$3")
    echo "again: $3: plain $expected, $1 $actual"
    [ "$expected" != "$actual" ] || { echo "note $3: $1 has differed once" >>"$WORK/notes" && return 1; }
    tail -n 30 again.log >"difference.$time"
  done
}

agrees_with_plain() { # SUITE MODE PROGRAM
  local test wrong=''
  for test in $(differences "plain.$3" "$2.$3"); do
    has_reason "$1" "$test" "$2" || ! comes_again "$2" "$3" "$test" || { wrong="$wrong $test" && cat difference.*; }
  done
  [ -z "$wrong" ] || complain "with another result:$wrong"
}

# results MODE PROGRAM: leaves them in MODE.PROGRAM.
results() {
  rm -f raw
  MODE=$1 run_suite raw "$2" >"$1.$2.out" 2>&1 || true
  # A test that failed once has failed.
  [ ! -e raw ] || awk 'result[$1] != "failed" {result[$1] = $2} END {for (test in result) print test, result[test]}' raw | sort >"$1.$2"
  [ -s "$1.$2" ] || { tail -n 20 "$1.$2.out" && false; }
}
runs() { # SUITE MODE PROGRAM
  results "$2" "$3"
  [ "$2" = plain ] || agrees_with_plain "$1" "$2" "$3"
}

# The comparison means something: these were through socks4d.
have_connected() {
  counters >counted
  has counted ' connects=[1-9]'
  note "$(sed 's/.* connects=\([0-9]*\) binds=\([0-9]*\).*/\1 CONNECTs and \2 BINDs/' counted)" >>"$WORK/notes"
}
show_notes() {
  [ ! -e "$WORK/notes" ] || { cat "$WORK/notes" && rm "$WORK/notes"; }
}

compare_modes() {
  local program mode
  for program in "${@:2}"; do
    for mode in plain direct proxied; do
      check "$1, $program, $mode" runs "$1" "$mode" "$program"
      show_notes
    done
  done
  check "$1: connections through socks4d" have_connected
  show_notes
}

start_socks4d
