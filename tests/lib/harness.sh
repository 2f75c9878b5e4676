# shellcheck shell=bash disable=SC2034 # most variables are for the scripts that source this
# SPDX-License-Identifier: MIT
# What the integration tests share. A script sources this, starts servers and says `check NAME COMMAND...`; tests/run
# gives it $WORK, a directory of its own, and $NET, a block of loopback addresses of its own:
#
#   $NET.1  the SOCKS server     $NET.2  the address it has on the other side: all that application servers may see
#   $NET.3  application servers  $NET.5  the same ones, without the faults of faulty_socks.py     $NET.9  a stranger
set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SCRIPT=$(basename "$(dirname "$0")")/$(basename "$0" .sh) # its folder and name
[ -n "${WORK:-}" ] || exec "$TOP/tests/run" "$SCRIPT"
cd "$WORK" || exit

# A sanitized library needs its runtime in the process before everything else; this is the one place that knows. The runtime
# must be initialized before any other library, whose constructors might hold a lock of libc's when it is their turn.
reports=log_path=$WORK/sanitizer
# ThreadSanitizer takes for a race that a program closes an epoll set while another of its threads ends a CONNECT of
# which the set has been told: the kernel decides who is first, and both orders are right.
echo race:tell_kernel >tsan.suppressions
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
# For programs that are not ours: what they leak is theirs, and the runtime comes behind what has it initialized.
others_options=("${sanitizer_options[@]}" "ASAN_OPTIONS=$reports:verify_asan_link_order=0:detect_leaks=0")
LAUNCHER=${LAUNCHER:-$BUILD/socksify}

SOCKS='' PEER=$NET.2 servers=()
python=/usr/bin/python3
trap 'kill "${servers[@]}" 2>/dev/null' EXIT
trap 'exit 1' HUP INT TERM

# check NAME COMMAND...: one test; it passes when the command succeeds and no sanitizer had anything to say. Everything
# the command prints is shown if it does not. Only what servers log from now on is looked at by `since`.
check() {
  local name=$1 status=0 log
  shift
  mark
  ("$@") >"$WORK/output" 2>&1 </dev/null || status=$?
  cat "$WORK"/sanitizer.* >>"$WORK/output" 2>/dev/null && status="$status, sanitizer"
  rm -f "$WORK"/sanitizer.*
  [ "$status" != 0 ] || { echo "ok $name" && return; }
  echo "not ok $name"
  {
    printf 'command: %s\nexit status: %s\n' "$*" "$status"
    tail -n 40 "$WORK/output"
    for log in "$WORK"/*.log; do
      [ ! -s "$log" ] || { echo "--- $(basename "$log"), its end:" && since "$(basename "$log" .log)" | tail -n 8; }
    done
  } | sed 's/^/    /'
}

skip() { echo "skip $1: $2"; }

# note TEXT: a figure that tests/run shows.
note() { echo "note $*"; }

# installed PROGRAM...: true, or says which cases are skipped.
installed() {
  command -v "$1" >/dev/null || { skip "$1" "not installed" && return 1; }
}

# allowed NUMBER: true if so many descriptors may be open, or says what is skipped.
allowed() {
  local hard
  hard=$(ulimit -Hn)
  [ "$hard" = unlimited ] || [ "$hard" -ge "$1" ] || { skip "$1 descriptors" "only $hard are allowed" && return 1; }
}

# await COMMAND...: repeats a cheap command until it succeeds, a minute at most: only what is wrong takes that long.
await() {
  local end=$((SECONDS + 60))
  until "$@" 2>/dev/null; do
    [ $SECONDS -lt $end ] || return
    sleep 0.02
  done
}

# start NAME COMMAND...: a server whose output is $WORK/NAME.log, and which never outlives this script.
start() {
  local name=$1
  shift
  : >"$WORK/$name.log" # not the one of an earlier server of this name
  setpriv --pdeathsig KILL "$@" >"$WORK/$name.log" 2>&1 </dev/null &
  servers+=($!)
}

# Both leave the server's IP:PORT in $ADDRESS; a server that does not come up is the end of the script.
announced() {
  await grep -q "listening on" "$WORK/$1.log" || failed_to_start "$1"
  ADDRESS=$(sed -n 's/.*listening on \([0-9.]*:[0-9]*\).*/\1/p' "$WORK/$1.log" | tail -n 1)
}
answers() {
  ADDRESS=$2
  await connects "$ADDRESS" || failed_to_start "$1"
}
connects() { : <>"/dev/tcp/${1%:*}/${1#*:}"; }
failed_to_start() {
  echo "not ok $1 starts"
  sed 's/^/    /' "$WORK/$1.log"
  exit 1
}

# A port that nobody uses on any address, for servers which cannot choose one themselves. Each script looks for it in
# another place: what it has seen unused is still so when it comes to use it.
unused_port() {
  local port ip
  IFS=. read -ra ip <<<"$NET"
  for ((port = 10000 + (ip[1] * 64 + ip[2]) * 8 % 20000; ; port++)); do
    connects "127.0.0.1:$port" 2>/dev/null || connects "$NET.3:$port" 2>/dev/null || break
  done
  echo "$port"
}

start_socks4d() {
  start socks4d env "${sanitizer_options[@]}" "$BUILD/socks4d" --listen "$NET.1:0" --bind-address "$PEER" "$@"
  announced socks4d
  SOCKS=$ADDRESS
  export SOCKS4D=${servers[-1]}
}

# Dante looks for the address it listens on in the list of interfaces, where only 127.0.0.1 is: it gets all of them.
start_danted() {
  local port
  installed danted || return
  port=$(unused_port)
  cat >danted.conf <<END
logoutput: stderr
internal: 0.0.0.0 port = $port
external: $PEER
clientmethod: none
socksmethod: none
user.privileged: $(id -un)
user.unprivileged: $(id -un)
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: bind connect bindreply }
END
  start danted danted -f danted.conf -p danted.pid
  answers danted "$NET.1:$port"
  SOCKS=$ADDRESS
}

# start_faulty SCENARIO: as tests/servers/faulty_socks.py describes; "by-userid" if each request says what goes wrong.
start_faulty() {
  start faulty "$python" -B "$TOP/tests/servers/faulty_socks.py" "$NET.1" "$PEER" "$1"
  announced faulty
  SOCKS=$ADDRESS
}

start_app() {
  start app "$python" -B "$TOP/tests/servers/appserver.py" "$NET.3"
  announced app
  APP=$ADDRESS STEADY=$NET.5:${ADDRESS#*:}
}

start_web() {
  start web "$python" -B "$TOP/tests/servers/webserver.py" "$NET.3" "$1"
  announced web
  WEB=$ADDRESS
}

start_ftp() {
  start ftp "$python" -B "$TOP/tests/servers/ftpserver.py" "$NET.3" "$1"
  announced ftp
  FTP=$ADDRESS
}

start_vsftpd() {
  local port
  installed vsftpd || return
  port=$(unused_port)
  cat >vsftpd.conf <<END
listen=YES
background=NO
listen_address=$NET.3
listen_port=$port
run_as_launching_user=YES
seccomp_sandbox=NO
anonymous_enable=YES
anon_root=$1
write_enable=YES
anon_upload_enable=YES
anon_umask=022
connect_from_port_20=NO
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file=$WORK/vsftpd.log
END
  start vsftpd vsftpd vsftpd.conf
  answers vsftpd "$NET.3:$port"
  FTP=$ADDRESS
}

# limit COMMAND...: no test waits for ever.
limit() { timeout --foreground -k 1 "${LIMIT:-60}" "$@"; }

# through COMMAND...: under the shim, by way of the SOCKS server at $SOCKS, with the userid $USERID if there is one.
# $PRELOAD is loaded behind it. Everything here is on loopback addresses, which are direct unless SOCKSIFY_LOOPBACK says otherwise.
through() {
  local settings=("SOCKSIFY_LIBRARY=$BUILD/libsocksify.so" "SOCKSIFY_LOOPBACK=${SOCKSIFY_LOOPBACK-proxy}")
  [ -z "${PRELOAD:-}" ] || settings+=("LD_PRELOAD=$PRELOAD")
  [ -z "$runtime" ] || settings+=("LD_PRELOAD=$runtime${PRELOAD:+:$PRELOAD}" "${others_options[@]}")
  limit env "${settings[@]}" "$LAUNCHER" -s "$SOCKS" ${USERID:+-u "$USERID"} -- "$@"
}

# client NAME [ARG...]: one of tests/programs.
client() { through "$BUILD/programs/$1" "${@:2}"; }

# wire SCRIPT CASE [ARG...]: one of the scripts of tests/programs that speak SOCKS themselves, to the server at $SOCKS.
wire() {
  SOCKS=$SOCKS LIMIT=${LIMIT:-60} limit "$python" -B "$TOP/tests/programs/socks4d/$1.py" "${@:2}"
}
# ask COMMAND DESTINATION [user USERID] [from IP] [name NAME]: the code that socks4d replies with, by tests/programs/socks4d/ask.py.
ask() { wire ask "$@"; }

# configure STATEMENT...: what socks4d, started with --config rules.conf, goes by from now on; signals are taken in order.
configure() {
  printf '%s\n' "$@" >"$WORK/rules.conf"
  kill -HUP "$SOCKS4D" && counters
}
# counters: the line that SIGUSR1 asks for.
counters() {
  local before
  before=$(grep -c ^time= "$WORK/socks4d.log")
  kill -USR1 "$SOCKS4D" && await has_counted "$before" && grep ^time= "$WORK/socks4d.log" | tail -n 1
}
# idle: it serves nobody.
idle() { counters | grep -q ' clients=0 '; }
has_counted() { [ "$(grep -c ^time= "$WORK/socks4d.log")" -gt "$1" ]; }

# in_namespaces: what follows has a network and mounts of its own, in which it is root; it is the end of a script that
# may not have any. REQUIRES: nothing has been started.
in_namespaces() {
  [ -z "${IN_NAMESPACES:-}" ] || { ip link set lo up && return; }
  unshare --map-root-user --mount --net true 2>refused || { skip namespaces "$(tail -n 1 refused)" && exit; }
  IN_NAMESPACES=yes exec unshare --map-root-user --mount --net "$TOP/tests/integration/$SCRIPT.sh"
}

# wire_checks SCRIPT CASE...: a check for each.
wire_checks() {
  local case
  for case in "${@:2}"; do check "$(wire "$1" name "$case")" wire "$1" "$case"; done
}

mark() {
  local log
  for log in "$WORK"/*.log; do [ ! -e "$log" ] || wc -c <"$log" >"$log.mark"; done
}

# since NAME: what the server NAME has logged since the beginning of this check.
since() { tail -c "+$(($(cat "$WORK/$1.log.mark" 2>/dev/null || echo 0) + 1))" "$WORK/$1.log"; }

has_logged() { since "$1" | grep -qE "$2"; }

# logged NAME PATTERN: the server says so, if not at once then soon.
logged() {
  await has_logged "$1" "$2" || { echo "$1 has not logged: $2" && false; }
}
never_logged() { ! since "$1" | grep -E "$2" || { echo "$1 has logged: $2" && false; }; }

# saw_only_peer NAME: every connection to the server NAME (one at least) came from the SOCKS server's other side.
saw_only_peer() {
  local seen
  seen=$(since "$1" | sed -nE 's/^peer ([0-9.]+):.*|.*CONNECT: Client "([0-9.]+)".*|Connection from ([0-9.]+) .*/\1\2\3/p' | sort -u)
  [ "$seen" = "$PEER" ] || { echo "$1 has seen ${seen:-nobody}, not just $PEER" && false; }
}

# same FILE FILE: equal, byte by byte.
same() {
  cmp -s "$1" "$2" || { diff -au "$1" "$2" | head -n 40 && cmp "$1" "$2" && false; }
}

# has FILE PATTERN: a line of the file matches.
has() { grep -qE "$2" "$1" || { echo "no line of $1 matches $2:" && cat "$1" && false; }; }

# prints TEXT COMMAND...: the command succeeds, and this is what it prints.
prints() {
  local expected=$1 status=0
  shift
  "$@" >actual || status=$?
  [ $status = 0 ] || { echo "exit status $status of: $*" && cat actual && false; } || return
  diff -u --label expected --label actual - actual <<<"$expected"
}
