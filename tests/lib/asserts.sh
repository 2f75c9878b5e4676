# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Assertions: functions that succeed silently, or say what is wrong and fail.

# Assertions are called thousands of times, so what bash can do by itself starts no other program.

declare -A marks=() # for each log, the number of lines it had when this check began

# mark: `since` starts here. `check` calls it.
mark() {
  local log lines
  for log in "$WORK"/*.log; do
    [ ! -e "$log" ] || { mapfile lines <"$log" && marks[$log]=${#lines[@]}; }
  done
}

# read_since NAME: the lines that the server NAME has logged since this check began, into the array `new`.
read_since() { mapfile -t -s "${marks[$WORK/$1.log]:-0}" new <"$WORK/$1.log"; }
# since NAME: prints them.
since() {
  local new
  read_since "$1"
  [ ${#new[@]} = 0 ] || printf '%s\n' "${new[@]}"
}

# contains PATTERN LINE...: a line matches.
contains() {
  local line
  for line in "${@:2}"; do [[ ! $line =~ $1 ]] || return 0; done
  return 1
}

has_logged() {
  local new
  read_since "$1"
  contains "$2" "${new[@]}"
}

# logged NAME PATTERN: the server logs a matching line, now or soon.
logged() {
  await has_logged "$1" "$2" || { echo "$1 has not logged: $2" && false; }
}
# never_logged NAME PATTERN: no line of its log matches.
never_logged() {
  if has_logged "$1" "$2"; then since "$1" && echo "$1 has logged: $2" && false; fi
}

# saw_only_peer NAME: the server NAME had at least one connection, and all of them came from the SOCKS server.
saw_only_peer() {
  local new line seen=''
  read_since "$1"
  for line in "${new[@]}"; do
    if [[ $line =~ ^peer\ ([0-9.]+): || $line =~ CONNECT:\ Client\ \"([0-9.]+)\" || $line =~ ^Connection\ from\ ([0-9.]+)\  ]]; then
      [[ "$seen " == *" ${BASH_REMATCH[1]} "* ]] || seen+=" ${BASH_REMATCH[1]}"
    fi
  done
  [ "$seen" = " $PEER" ] || { echo "$1 has seen${seen:- nobody}, not just $PEER" && false; }
}

# same FILE FILE: equal, byte for byte.
same() {
  cmp -s "$1" "$2" || { diff -au "$1" "$2" | head -n 40 && cmp "$1" "$2" && false; }
}

# has FILE PATTERN: a line of the file matches.
has() {
  local all
  mapfile -t all <"$1"
  contains "$2" "${all[@]}" || { echo "no line of $1 matches $2:" && cat "$1" && false; }
}
# lacks FILE PATTERN: no line of it does.
lacks() {
  if grep -aE -- "$2" "$1"; then echo "$1 matches $2" && false; fi
}
# lines NUMBER FILE: the file has that many.
lines() {
  local all
  mapfile -t all <"$2"
  [ ${#all[@]} = "$1" ] || { echo "$2 has ${#all[@]} lines, not $1:" && cat "$2" && false; }
}
# is_empty FILE
is_empty() { [ ! -s "$1" ] || { echo "$1 is not empty:" && cat "$1" && false; }; }
# absent FILE
absent() { [ ! -e "$1" ] || { echo "$1 exists" && false; }; }
# equal TEXT TEXT
equal() { [ "$1" = "$2" ] || { echo "not equal: '$1' and '$2'" && false; }; }

# prints TEXT COMMAND...: the command succeeds, and TEXT is what it prints.
prints() {
  local expected=$1 status
  shift
  outcome "$@" >actual
  [ "$status" = 0 ] || { echo "exit status $status of: $*" && cat actual && false; } || return
  [ "$(<actual)" = "$expected" ] || diff -u --label expected --label actual - actual <<<"$expected"
}
# outcome COMMAND...: runs it with its own assertions in force, and leaves its exit status in $status.
outcome() {
  set +e
  trap - ERR
  (
    enforce
    "$@"
  )
  status=$?
  enforce
}

# complain TEXT: fails with a reason, for assertions whose output may be redirected together with their command's.
complain() {
  echo "$*" >>"$WORK/reason"
  false
}
# fails COMMAND...: it does not succeed.
fails() {
  if "$@"; then complain "this has not failed: $*"; fi
}
# ends_with STATUS COMMAND...: that is its exit status.
ends_with() {
  local status=0
  "${@:2}" || status=$?
  [ "$status" = "$1" ] || complain "exit status $status, not $1, of: ${*:2}"
}
