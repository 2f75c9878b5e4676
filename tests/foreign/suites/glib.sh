#!/bin/bash
# SPDX-License-Identifier: MIT
# GLib's installed tests, those that connect, wait or start programs.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/modes.sh"

installed_tests=/usr/share/installed-tests/glib
[ -d $installed_tests ] || { skip "GLib's tests" "not installed" && exit; }

# "Exec=COMMAND ARG..."; the results are TAP: "ok 3 /socket/ipv6_sync # SKIP ...". What hangs prints no result.
run_suite() {
  local command
  read -ra command < <(sed -n 's/^Exec=//p' "$installed_tests/$2.test")
  LIMIT=120 in_this_mode "${command[@]}" "${@:3}" --tap >tap || echo "--- ended by $?"
  cat tap
  sed -nE 's/^ok [0-9]+ ([^ ]+) # SKIP.*/\1 skipped/p; s/^ok [0-9]+ ([^ ]+)$/\1 passed/p; s/^not ok [0-9]+ -? ?([^ ]+).*/\1 failed/p' tap >"$1"
}
run_again() { run_suite "$1" "$2" -p "$3"; }

compare_modes glib socket socket-listener socket-service socket-address inet-address network-address network-monitor \
  network-monitor-race resolver-parsing srvtarget gsocketclient-slow simple-proxy proxy-test pollable gdbus-peer gdbus-auth \
  gdbus-addresses gdbus-non-socket gsubprocess spawn-test unix-streams unix-fd mainloop
