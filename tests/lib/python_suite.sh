# shellcheck shell=bash disable=SC2154 # what harness.sh has set
# SPDX-License-Identifier: MIT
# CPython's own tests in three modes. A script sources this after harness.sh and calls compare_modes python MODULE...
. "$TOP/tests/lib/modes.sh"

suite_python=$(compgen -G '/usr/lib/python3.*/test/test_socket.py' | head -n 1)
suite_python=${suite_python%/test/*}
[ -n "$suite_python" ] || { skip "CPython's tests" "not installed" && exit; }

# A module goes on after a test that hung.
run_suite() {
  local time
  for time in {1..9}; do
    LIMIT=900 in_this_mode "/usr/bin/${suite_python##*/}" -B "$TOP/tests/foreign/unittests.py" "$1" "$2" && return
    echo "--- ended by $?, time $time"
  done
}
run_again() { LIMIT=200 in_this_mode "/usr/bin/${suite_python##*/}" -B "$TOP/tests/foreign/unittests.py" "$1" "$3"; }
