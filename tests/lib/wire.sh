# shellcheck shell=bash disable=SC2154 # variables of harness.sh
# SPDX-License-Identifier: MIT
# The scripts of tests/programs/socks4d, which speak SOCKS themselves, to the server at $SOCKS. Source this after harness.sh.

wire_by=() # a command that starts it

# start_wire: from here on, one Python runs them all, each call in a child of its own.
start_wire() {
  rm -f requests replies && mkfifo requests replies || exit
  exec {requests}<>requests {replies}<>replies
  start wire "${wire_by[@]}" "$python" -B "$TOP/tests/programs/socks4d/children.py" requests replies answer
}

# wire SCRIPT CASE [ARG...]
wire() {
  local status text=''
  if [ -z "${requests:-}" ]; then
    SOCKS=$SOCKS LIMIT=${LIMIT:-60} limit "$python" -B "$TOP/tests/programs/socks4d/$1.py" "${@:2}"
    return
  fi
  printf '%s\0' $(($# + 2)) "$SOCKS" "${SOCKS4D:-}" "$@" >&"$requests"
  read -rt 90 status <&"$replies" || { echo "no reply of children.py" && cat "$WORK/wire.log" && return 1; }
  IFS= read -rd '' text <"$WORK/answer" || true # up to its end
  printf '%s' "$text"
  return "$status"
}

# ask COMMAND DESTINATION [user USERID] [from IP] [name NAME]: prints the reply code of socks4d (tests/programs/socks4d/ask.py).
ask() { wire ask "$@"; }

# wire_checks SCRIPT CASE...: one check for each case.
wire_checks() {
  local case names
  mapfile -t names < <(wire "$1" name "${@:2}")
  for case in "${@:2}"; do
    check "${names[0]}" wire "$1" "$case"
    names=("${names[@]:1}")
  done
}
