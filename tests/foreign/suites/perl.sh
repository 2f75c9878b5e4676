#!/bin/bash
# SPDX-License-Identifier: MIT
# The tests of Perl's distributions for sockets and clients.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/modes.sh"

distributions=$BUILD/foreign/perl
[ -d "$distributions" ] || { skip "Perl's tests" "not installed: tests/foreign/packages" && exit; }

# run_file RESULTS DISTRIBUTION FILE: TAP, whose tests are known by their numbers.
run_file() {
  local status=passed
  (cd "$distributions/$2" && LIMIT=120 in_this_mode perl "$3") >tap || status=failed
  echo "--- $3" && cat tap
  sed -nE "s|^ok ([0-9]+).*# [Ss][Kk][Ii][Pp].*|$3:\1 skipped|p; t; s|^ok ([0-9]+).*|$3:\1 passed|p; s|^not ok ([0-9]+).*|$3:\1 failed|p" tap >>"$1"
  echo "$3:whole $status" >>"$1"
}
run_suite() {
  local file
  for file in "$distributions/$2"/t/*.t; do
    case $file in
      *internet*) ;; # there is none
      *) run_file "$1" "$2" "t/${file##*/}" ;;
    esac
  done
}
run_again() {
  rm -f one
  run_file one "$2" "${3%:*}"
  grep "^$3 " one >"$1"
}

compare_modes perl libnet IO-Socket-IP IO
