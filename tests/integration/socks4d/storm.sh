#!/bin/bash
# SPDX-License-Identifier: MIT
# socks4d against clients that are many, mute, mad or gone: it serves the others meanwhile, and is the same after it.
. "${0%/*}/../../lib/harness.sh"
LIMIT=600
if [ -n "$runtime" ]; then few=20; else few=1; fi # sanitized: how many times fewer

storm() { # MODE COUNT [SEED]
  SOCKS=$SOCKS LISTEN=$NET.3 COUNT=$2 SEED=${3:-0} limit "$BUILD/programs/storm" "$1"
}

# begin_storm ARG...: one that goes on until it is told to end; it holds what it holds when this returns.
begin_storm() {
  coproc STORM { storm "$@"; }
  # shellcheck disable=SC2153 # bash sets it
  storm_pid=$STORM_PID
  exec {storm_in}>&"${STORM[1]}" {storm_out}<&"${STORM[0]}"
  local line=''
  read -r -t 60 line <&"$storm_out"
  [ "$line" = held ] || { echo "the storm has not begun: $*" && false; }
}

# Succeeds if all of the storm's own expectations came true.
end_storm() {
  local to=$storm_in from=$storm_out
  # The coprocess's own ends are closed by bash when it is waited for.
  eval "exec ${STORM[1]}>&- $to>&- $from<&-"
  wait "$storm_pid"
}

descriptors() { find "/proc/$pid/fd" -mindepth 1 | wc -l; }
has_descriptors() { [ "$(descriptors)" -le "$1" ]; }
resident() { awk '/^Rss:/ { print $2 }' "/proc/$pid/smaps_rollup"; }
ticks() { sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'; }

serves_among() {
  begin_storm held "$1"
  storm connects $((1000 / few))
  end_storm
}

# Kernel buffers hold what is on its way: the server none of it.
keeps_nothing() {
  local before
  before=$(resident)
  begin_storm stopped 16
  [ -n "$runtime" ] || [ $(($(resident) - before)) -lt 2048 ] || { echo "grown from $before to $(resident) KiB" && false; }
  storm connects 100
  end_storm
}

# The same number of descriptors when the last session has ended, and about the memory of before. A hundred bytes lost
# with each session would be 7 MiB by now.
is_as_before() {
  await has_descriptors "$1" || { echo "$(descriptors) descriptors, $1 before" && ls -l "/proc/$pid/fd" && false; }
  [ -n "$runtime" ] || [ $(($(resident) - $2)) -lt 5120 ] || { echo "$(resident) KiB, $2 before" && false; }
}

# Two seconds of the server's life, in which somebody waits for a descriptor all the time.
does_not_spin() {
  local before used
  begin_storm crowd 200
  before=$(ticks)
  sleep 2
  used=$(($(ticks) - before))
  [ $used -lt 50 ] || { echo "$used ticks of CPU time, of $(($(getconf CLK_TCK) * 2))" && false; }
  end_storm || { echo "the crowd was not served" && false; }
}

# Descriptors that an ordinary user may have: the server needs two for a client.
clients=$((2000 / few)) hard=$(ulimit -Hn)
if [ "$hard" != unlimited ] && [ $((4 * clients + 200)) -gt "$hard" ]; then
  clients=$(((hard - 200) / 4))
  echo "only $clients silent clients: no more than $hard descriptors are allowed" >&2
fi

printf 'allow to 127.0.0.0/8\ndefault deny\nrequest-timeout 120\n' >storm.conf
start_socks4d --config storm.conf
pid=${servers[-1]}
storm connects 100 # what it keeps from the first ones is not growth
storm stopped 4 </dev/null >/dev/null
await idle
before=$(descriptors) memory=$(resident)

check "others are served among $clients silent and $clients half-said clients" serves_among "$clients"
check "20,000 connects" storm connects $((20000 / few))
seed=${SEED:-4}
check "20,000 fuzzed requests, seed $seed" storm fuzzed $((20000 / few)) "$seed"
check "resets by either side at every stage" storm resets $((2700 / few))
check "readers that stop" keeps_nothing
check "descriptors and memory as before" is_as_before "$before" "$memory"

start_socks4d --config storm.conf
pid=${servers[-1]}
# UBSan needs a pipe when it sees an exception of a class for the first time: not when descriptors are short.
[ -z "$runtime" ] || { storm resets 36 && await idle; }
prlimit --pid "$pid" --nofile=64
before=$(descriptors)
check "short of descriptors: it waits, and then serves all" does_not_spin
check "afterwards it has those of before" is_as_before "$before" 999999
