# shellcheck shell=bash disable=SC2034 # most variables are for the scripts that source this
# SPDX-License-Identifier: MIT
# The frame of an integration test. A script sources this file, starts servers (servers.sh) and calls `check NAME COMMAND...`
# once for each test; asserts.sh has the assertions. tests/run provides $WORK, a private directory, and $NET, a private
# block of loopback addresses:
#
#   $NET.1  the SOCKS server        $NET.2  its outgoing address, the only one that application servers may see
#   $NET.3  application servers     $NET.5  the same servers, never affected by the faults of faulty_socks.py
#   $NET.9  a stranger
set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SCRIPT=$(basename "$(dirname "$0")")/$(basename "$0" .sh) # its folder and name
SCRIPTS=$(realpath --relative-to="$TOP" "$(dirname "$0")/..")
[ -n "${WORK:-}" ] || SCRIPTS=$SCRIPTS exec "$TOP/tests/run" "$SCRIPT"
cd "$WORK" || exit
. "$TOP/tests/lib/asserts.sh"
. "$TOP/tests/lib/servers.sh"

# A sanitized library needs the sanitizer's runtime loaded and initialized before any other library, whose constructor
# might hold a lock of libc at that moment. early.so sees to the order.
reports=log_path=$WORK/sanitizer
# ThreadSanitizer reports a race when a program closes an epoll set while another of its threads completes a CONNECT that
# this set watches. The kernel orders the two; both orders are correct.
echo race:update_kernel >tsan.suppressions
sanitizer_options=("ASAN_OPTIONS=$reports" "UBSAN_OPTIONS=$reports:print_stacktrace=1"
  "TSAN_OPTIONS=$reports:suppressions=$WORK/tsan.suppressions")
case $BUILD in
  *san-*address*) runtime=$(g++ -print-file-name=libasan.so) ;;
  *san-*thread*) runtime=$(g++ -print-file-name=libtsan.so) ;;
  *) runtime='' ;;
esac
if [ -n "$runtime" ]; then
  gcc -shared -fPIC -o early.so -Wl,-z,initfirst -x c - <<<'#include <stdlib.h>
    __attribute__((constructor)) static void initialize(void) { free(malloc(1)); }' || exit
  runtime=$WORK/early.so:$runtime
fi
# Leaks in other people's programs are not ours to report. early.so is loaded before the runtime that it initializes.
others_options=("${sanitizer_options[@]}" "ASAN_OPTIONS=$reports:verify_asan_link_order=0:detect_leaks=0")
LAUNCHER=${LAUNCHER:-$BUILD/socksify}

SOCKS='' PEER=$NET.2 servers=()
exec {never}<> <(:) # nothing is ever written here: to read with a time limit is to sleep
python=/usr/bin/python3
trap 'kill "${servers[@]}" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM

# check NAME COMMAND...: one test. It passes when COMMAND succeeds and no sanitizer reports anything. COMMAND is usually a
# function of the script; it runs under `set -e`, so every line of it is an assertion, and the first that fails ends the test
# and is reported. `a && b`, `a || b` and `! a` switch `set -e` off for a: use one line each, and `fails a`.
check() {
  local name=$1 status file
  shift
  mark
  for file in "$WORK/failed-at" "$WORK/reason"; do [ ! -e "$file" ] || rm "$file"; done
  (body "$@") >"$WORK/output" 2>&1 </dev/null
  status=$?
  for file in "$WORK"/sanitizer.*; do
    [ ! -e "$file" ] || { cat "$file" >>"$WORK/output" && rm "$file" && status="$status, sanitizer"; }
  done
  if [ "$status" = 0 ]; then echo "ok $name"; else report "$name" "$status" "$*"; fi
}

# Bash ignores `set -e` inside a condition without a word; the ERR trap tells.
body() {
  local in_force=''
  trap in_force=yes ERR
  false
  [ -n "$in_force" ] || { echo "check is called in a condition, where set -e has no effect" && exit 1; }
  shopt -s inherit_errexit
  enforce
  "$@"
}
# From here on, the first command that fails ends the shell, and is noted.
enforce() {
  trap failed_at ERR
  set -eE
}

# failed_at: notes where the first failure happened, as lines "FILE:LINE: TEXT", innermost call first.
failed_at() {
  local depth file line
  [ ! -e "$WORK/failed-at" ] || return 0
  for ((depth = 1; depth < ${#FUNCNAME[@]}; depth++)); do
    file=${BASH_SOURCE[depth]} line=${BASH_LINENO[depth - 1]}
    case $file in */lib/harness.sh | */lib/asserts.sh) continue ;; esac
    printf '%s:%s: %s\n' "${file#"$TOP/$SCRIPTS/"}" "$line" "$(sed -n "${line}s/^ *//p" "$file")"
  done >"$WORK/failed-at"
}

# report NAME STATUS COMMAND: a failed check, with its output and the end of each server's log.
report() {
  local log
  echo "not ok $1"
  {
    [ ! -s "$WORK/failed-at" ] || sed 's/^/at /' "$WORK/failed-at"
    [ ! -s "$WORK/reason" ] || cat "$WORK/reason"
    printf 'command: %s\nexit status: %s\n' "$3" "$2"
    tail -n 40 "$WORK/output"
    for log in "$WORK"/*.log; do
      [ ! -s "$log" ] || { echo "--- the end of $(basename "$log"):" && since "$(basename "$log" .log)" | tail -n 8; }
    done
  } | sed 's/^/    /'
}

skip() { echo "skip $1: $2"; }

# note TEXT: a figure that tests/run shows.
note() { echo "note $*"; }

# installed PROGRAM: true, or reports a skip.
installed() {
  command -v "$1" >/dev/null || { skip "$1" "not installed" && return 1; }
}

# allowed NUMBER: true if a process may open that many descriptors; otherwise reports a skip.
allowed() {
  local hard
  hard=$(ulimit -Hn)
  [ "$hard" = unlimited ] || [ "$hard" -ge "$1" ] || { skip "$1 descriptors" "the limit is $hard" && return 1; }
}

# runs_32_bits NAME: true if this kernel runs 32-bit programs; otherwise reports a skip.
runs_32_bits() {
  gcc -m32 -o "$WORK/empty32" -x c - <<<'int main(void) { return 0; }' || exit
  "$WORK/empty32" 2>/dev/null || { skip "$1" "this kernel runs no 32-bit programs" && return 1; }
}

# await COMMAND...: repeats a cheap command until it succeeds, for a minute at most. Only a broken test waits that long.
await() {
  local end=$((SECONDS + 60))
  until "$@" 2>/dev/null; do
    [ $SECONDS -lt $end ] || return
    read -rt 0.02 -u "$never" || true
  done
}

# limit COMMAND...: every program has a time limit.
limit() { timeout --foreground -k 1 "${LIMIT:-60}" "$@"; }

# through COMMAND...: runs it under the shim, through the SOCKS server at $SOCKS, as $USERID if that is set; $PRELOAD is
# loaded after the shim. SOCKSIFY_LOOPBACK=proxy because all servers here are on loopback addresses, which would be direct.
through() {
  local -x SOCKSIFY_LIBRARY=$BUILD/libsocksify.so SOCKSIFY_LOOPBACK=${SOCKSIFY_LOOPBACK-proxy}
  local preloads=$runtime${runtime:+${PRELOAD:+:}}${PRELOAD:-} settings=()
  [ -z "$runtime" ] || settings=("${others_options[@]}")
  [ -z "$preloads" ] || settings=(env "LD_PRELOAD=$preloads" "${settings[@]}")
  limit "${settings[@]}" "$LAUNCHER" -s "$SOCKS" ${USERID:+-u "$USERID"} -- "$@"
}

# client NAME [ARG...]: runs one of tests/programs under the shim.
client() { through "$BUILD/programs/$1" "${@:2}"; }

# in_namespaces: gives the rest of the script its own network and mounts, and root in them; ends the script where that is
# not allowed. Call it before anything is started.
in_namespaces() {
  [ -z "${IN_NAMESPACES:-}" ] || { ip link set lo up && return; }
  unshare --map-root-user --mount --net true 2>refused || { skip namespaces "$(tail -n 1 refused)" && exit; }
  IN_NAMESPACES=yes exec unshare --map-root-user --mount --net "$TOP/$SCRIPTS/$SCRIPT.sh"
}
