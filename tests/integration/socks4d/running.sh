#!/bin/bash
# SPDX-License-Identifier: MIT
# How socks4d starts, answers signals and ends; what it logs and counts; and its messages for wrong options.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/wire.sh"

socks4d=("$BUILD/socks4d" --listen "$NET.1:0" --bind-address "$PEER")

# says STATUS MESSAGE OPTION...: it exits with STATUS and prints just MESSAGE, on stderr.
says() {
  local status=0
  env "${sanitizer_options[@]}" timeout -k 1 60 "$BUILD/socks4d" "${@:3}" >out 2>said || status=$?
  [ "$status" = "$1" ] || { echo "status $status" && cat out said && return 1; }
  [ ! -s out ]
  prints "socks4d: $2" cat said
}
closed() {
  fails limit "$BUILD/socks4d" --listen "$NET.1:0" >&- 2>said
  prints "socks4d: cannot write to standard output: Bad file descriptor" cat said
}
prints_usage() {
  limit "$BUILD/socks4d" --help >out 2>said
  has out '^usage: socks4d '
  [ ! -s said ]
}

# ends SIGNAL: it exits, and its log has every session.
ends() {
  local pid
  rm -f ended.log ended.out
  env "${sanitizer_options[@]}" "${socks4d[@]}" --log ended.log >ended.out 2>&1 &
  pid=$!
  await grep -q listening ended.out
  # shellcheck disable=SC2064 # now
  trap "kill -KILL $pid 2>/dev/null || true" EXIT
  SOCKS=$(sed 's/.* //' ended.out) SOCKS4D=$pid wire running ends "$1"
  wait $pid
  prints "socks4d: listening on" sed 's/ [0-9.:]*$//' ended.out
  prints "    203 result=granted
      4 result=none why=\"server stopped\"" eval "grep -o 'result=.*' ended.log | sed 's/ up=.*//' | sort | uniq -c"
}

# Signals arrive while it still reads its configuration, from a FIFO.
obeys_later() {
  local pid config
  mkfifo slow.conf
  env "${sanitizer_options[@]}" "${socks4d[@]}" --config slow.conf >early.out 2>&1 &
  pid=$!
  # shellcheck disable=SC2064 # now
  trap "kill -KILL $pid || true" EXIT
  await postpones $pid
  kill -HUP $pid
  kill -USR1 $pid
  exec {config}>slow.conf
  : >empty.conf
  mv empty.conf slow.conf
  exec {config}>&-
  await grep -q ^time= early.out
  has early.out "listening on"
}
postpones() {
  [ -p slow.conf ] && [ $((0x$(sed -n 's/^SigBlk:\t//p' "/proc/$1/status") & 0x201)) = $((0x201)) ]
}

threads_of() {
  start counted env "${sanitizer_options[@]}" "${socks4d[@]}" "$@"
  announced counted
  set -- "/proc/${servers[-1]}/task"/*
  threads=$#
}
# ThreadSanitizer adds a thread when there is more than one.
has_threads() {
  local more=0
  threads_of --threads 7
  more=$((threads - 7))
  threads_of --threads 1
  [ $threads = 1 ]
  threads_of
  [ $threads = 1 ] || threads=$((threads - more))
  prints $threads nproc
}

# Replaces times, ephemeral ports and durations, which differ each time.
steady() { sed -E "s/^time=$1 /time=T /; s/:[0-9]{5} /:PORT /g; s/seconds=[0-9]+\.[0-9]{3}$/seconds=S/" sessions; }
has_lines() { [ "$(grep -c . sessions)" -ge "$1" ]; }
logs() {
  local date='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z'
  wire running one_of_each
  await has_lines 7
  steady "$date" | sort >all
  prints "time=T client=127.0.0.1:PORT result=rejected why=\"not SOCKS version 4\" up=0 down=0 seconds=S
time=T client=127.0.0.1:PORT user=\"\" command=connect destination=$NET.3:1 result=rejected why=\"destination unreachable\" up=0 down=0 seconds=S
time=T client=127.0.0.1:PORT user=\"fred\" command=bind destination=$NET.3:21 result=rejected why=\"connection from another host\" up=0 down=0 seconds=S
time=T client=127.0.0.1:PORT user=\"fred\" command=bind destination=$NET.3:2100 result=granted up=5 down=7 seconds=S
time=T client=127.0.0.1:PORT user=\"fred\" command=connect destination=127.0.0.1:1 name=\"127.1\" result=rejected why=\"destination unreachable\" up=0 down=0 seconds=S
time=T client=127.0.0.1:PORT user=\"fred\" command=connect destination=$NET.3:PORT result=granted up=5 down=7 seconds=S
time=T client=127.0.0.1:PORT user=\"fred\" command=connect destination=$NET.3:PORT result=granted up=5 down=7 seconds=S" cat all
}
counts() {
  counters | sed 's/^time=[^ ]* //' >counted
  prints "clients=0 accepted=7 connects=2 binds=1 rejected=4 up=15 down=21 log-lines-lost=0" cat counted
}
lines_are_unforged() {
  local expected
  wire running forge
  await has_lines 13
  prints 13 grep -c . sessions
  sed 's/^[^"]* user=//; s/ command=connect destination=[0-9.:]*//; s/ result=rejected why=.*//' sessions >fields
  while IFS= read -r expected; do grep -Fx -- "$expected" fields; done <<'END'
"a\" result=granted why=\""
"a\x0aclient=1.2.3.4:5 user=\"root\"\x0d\x0a"
"\\\" \x09\x01\x1b[31m\x7f\x80\xff"
"" name="a\" b\\\x0a\xff"
END
  prints 13 grep -cE "^time=[0-9TZ:.-]+ client=[0-9.:]+ (user=\"([^\"\\]|\\\\.)*\" command=(connect|bind) destination=[0-9.:]+ (name=\"([^\"\\]|\\\\.)*\" )?)?result=[a-z]+ (why=\"[^\"]*\" )?up=[0-9]+ down=[0-9]+ seconds=[0-9.]+$" sessions
}
reopens() {
  mv sessions former
  kill -HUP "$SOCKS4D"
  counters
  [ -e sessions ]
  wire running served
  await has_lines 1
  prints 13 grep -c . former
}
reopen_fails() {
  mv sessions former
  mkdir sessions
  kill -HUP "$SOCKS4D"
  counters
  logged socks4d '^socks4d: cannot write to the log .*sessions: Is a directory; keeping the previous log$'
  wire running served
  await grep -q . former
}

# First the log may grow by ten bytes only, then without limit.
is_full() {
  local size
  wire running served
  await has_lines 1
  size=$(wc -c <sessions)
  prlimit --pid "$SOCKS4D" --fsize=$((size + 10)):
  wire running served
  await has_size $((size + 10))
  prlimit --pid "$SOCKS4D" --fsize=unlimited:
  wire running served
  await has_lines 3
  prints $'time=\ntime=2026-\ntime=' sed -E 's/^(time=).{9}.+/\1/' sessions
}
has_size() { [ "$(wc -c <sessions)" = "$1" ]; }

becomes() {
  local status=/proc/$SOCKS4D/status user
  user=$(id -u nobody) group=$(id -g nobody)
  prints "Uid: $user $user $user $user
Gid: $group $group $group $group
Groups: $(id -G nobody)
CapPrm: 0000000000000000
CapEff: 0000000000000000
CapAmb: 0000000000000000" eval "sed -nE 's/[[:space:]]+/ /g; s/ $//; /^(Uid|Gid|Groups|CapPrm|CapEff|CapAmb):/p' $status"
  wire running served
  kill -HUP "$SOCKS4D"
  counters
  wire running served
}
by_systemd() {
  local port
  port=$(unused_port)
  start activated setpriv --pdeathsig KILL systemd-socket-activate -l "$NET.1:$port" "$BUILD/socks4d" --bind-address "$PEER"
  await grep -q "Listening on" activated.log
  SOCKS=$NET.1:$port wire running served
}

check "--help" prints_usage
check "--version" prints "socks4d $(sed -n 's/^VERSION := //p' "$TOP/Makefile")" limit "$BUILD/socks4d" --version
check "an unknown option" says 1 "--lisen: unknown option (see --help)" --lisen "$NET.1:0"
check "an unknown letter" says 1 "-x: unknown option (see --help)" -x
check "an option without its value" says 1 "--log: missing value (see --help)" --log
check "an option with an unexpected value" says 1 "--help=x: this option takes no value (see --help)" --help=x
check "a surplus argument" says 1 "serve: unexpected argument (see --help)" --listen "$NET.1:0" serve
for address in 1080 localhost:1080 127.0.0.1 127.0.0.1:65536 :1080 unix:relative ''; do
  check "--listen '$address'" says 1 "--listen $address: expected an IPv4 address and a port such as 127.0.0.1:1080, or unix:/path (see --help)" --listen "$address"
done
check "--bind-address: no address" says 1 "--bind-address here: expected an IPv4 address such as 192.0.2.1 (see --help)" --bind-address here
check "--bind-address: not of this host" says 1 "cannot use the bind address 192.0.2.1: Cannot assign requested address" --listen "$NET.1:0" --bind-address 192.0.2.1
check "--listen: not of this host" says 1 "cannot listen on 192.0.2.1:1080: Cannot assign requested address" --listen 192.0.2.1:1080
check "--threads" says 1 "--threads 0: expected a number from 1 to 1024 (see --help)" --threads 0
check "--ident-port" says 1 "--ident-port x: expected a number from 1 to 65535 (see --help)" --ident-port x
check "--check-config alone" says 1 "--check-config: needs --config FILE (see --help)" --check-config
check "--config: no file" says 1 "cannot read nothing: No such file or directory" --config nothing
check "--log: no such directory" says 1 "cannot write to the log no/log: No such file or directory" --listen "$NET.1:0" --log no/log
mkfifo fifo
check "--log: a FIFO without a reader" says 1 "cannot write to the log fifo: No such device or address" --listen "$NET.1:0" --log fifo
check "--user: no such user" says 1 "--user no-such-user: no such user: No such file or directory" --listen "$NET.1:0" --user no-such-user
check "a closed standard output" closed

: >rules.conf
start_socks4d --config "$WORK/rules.conf" --log "$WORK/sessions"
check "a port in use" says 1 "cannot listen on $SOCKS: Address already in use" --listen "$SOCKS"
check "the log: a line for each session" logs
check "SIGUSR1: counters" counts
check "the log: clients cannot forge a line or a field" lines_are_unforged
check "SIGHUP: the log is reopened" reopens
check "SIGHUP: the former log stays when reopening fails" reopen_fails
rm -rf sessions && kill -HUP "$SOCKS4D" && counters >counted
check "the log is full: a line that is cut is ended before the next one" is_full
check "--log - without a reader" wire running stdout_without_reader "${socks4d[@]}"

for signal in SIGTERM SIGINT; do check "$signal ends it" ends $signal; done
check "SIGHUP and SIGUSR1 wait until startup is complete" obeys_later
check "--threads: that many, or one for each core" has_threads

check "socket activation" wire running activated "$BUILD/socks4d" --bind-address "$PEER"
check "socket activation: not a listening socket" prints \
  "socks4d: LISTEN_FDS: descriptor 3 is not a listening TCP/IPv4 or Unix socket: Invalid argument" \
  wire running passed_wrong "$BUILD/socks4d"
! installed systemd-socket-activate || check "socket activation by systemd's own tool" by_systemd

if setpriv --reuid=nobody --regid=nogroup --clear-groups true 2>/dev/null; then
  chmod 711 . && mkdir logs && chown nobody logs && chmod 755 logs && : >rules.conf && chmod 644 rules.conf
  start socks4d setpriv --groups 0,1,2 env "${sanitizer_options[@]}" "${socks4d[@]}" --listen "$NET.1:7" --user nobody
  announced socks4d
  export SOCKS=$ADDRESS SOCKS4D=${servers[-1]}
  check "--user: drops root, its groups and capabilities, after binding a port of root" becomes
else
  skip "--user" "only root can become another user"
  check "--user: refused to an ordinary user" says 1 "--user root: cannot switch to that user: Operation not permitted" --listen "$NET.1:0" --user root
fi
