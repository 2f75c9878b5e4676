# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Many cases of one of tests/programs by one process. Source this after harness.sh.

# each_case NAME JOBS PROGRAM CASE...: runs these cases under the shim, JOBS at a time, each in a child of one process. There is
# a check for each, called NAME with its "%" replaced by the case.
each_case() {
  local name=$1 program=$3 case
  rm -rf "cases.$program" && mkdir "cases.$program"
  client "$program" into "cases.$program" "$2" "${@:4}"
  for case in "${@:4}"; do check "${name/\%/$case}" ends_well "$program" "$case"; done
}
ends_well() {
  local facts=''
  IFS= read -rd '' facts <"cases.$1/$2" || true # which has no NUL
  printf '%s' "$facts"
  [[ $'\n'$facts = *$'\n'"ok $2"$'\n' ]]
}
