# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Assertions: functions that succeed silently, or say what is wrong and fail.

# mark: `since` starts here. `check` calls it.
mark() {
  local log
  for log in "$WORK"/*.log; do [ ! -e "$log" ] || wc -c <"$log" >"$log.mark"; done
}

# since NAME: what the server NAME has logged since this check began.
since() { tail -c "+$(($(cat "$WORK/$1.log.mark" 2>/dev/null || echo 0) + 1))" "$WORK/$1.log"; }

has_logged() { since "$1" | grep -qE "$2"; }

# logged NAME PATTERN: the server logs a matching line, now or soon.
logged() {
  await has_logged "$1" "$2" || { echo "$1 has not logged: $2" && false; }
}
# never_logged NAME PATTERN: no line of its log matches.
never_logged() {
  if since "$1" | grep -E "$2"; then echo "$1 has logged: $2" && false; fi
}

# saw_only_peer NAME: the server NAME had at least one connection, and all of them came from the SOCKS server.
saw_only_peer() {
  local seen
  seen=$(since "$1" | sed -nE 's/^peer ([0-9.]+):.*|.*CONNECT: Client "([0-9.]+)".*|Connection from ([0-9.]+) .*/\1\2\3/p' | sort -u)
  [ "$seen" = "$PEER" ] || { echo "$1 has seen ${seen:-nobody}, not just $PEER" && false; }
}

# same FILE FILE: equal, byte for byte.
same() {
  cmp -s "$1" "$2" || { diff -au "$1" "$2" | head -n 40 && cmp "$1" "$2" && false; }
}

# has FILE PATTERN: a line of the file matches.
has() { grep -qE -- "$2" "$1" || { echo "no line of $1 matches $2:" && cat "$1" && false; }; }
# lacks FILE PATTERN: no line of it does.
lacks() {
  if grep -aE -- "$2" "$1"; then echo "$1 matches $2" && false; fi
}
# lines NUMBER FILE: the file has that many.
lines() {
  local count
  count=$(wc -l <"$2")
  [ "$count" = "$1" ] || { echo "$2 has $count lines, not $1:" && cat "$2" && false; }
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
  diff -u --label expected --label actual - actual <<<"$expected"
}
# outcome COMMAND...: runs it with its own assertions in force, and leaves its exit status in $status.
outcome() {
  local flags=$- handler
  handler=$(trap -p ERR)
  set +e
  trap - ERR
  (eval "$handler" && case $flags in *e*) set -e ;; esac; "$@")
  status=$?
  eval "$handler"
  case $flags in *e*) set -e ;; esac
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
