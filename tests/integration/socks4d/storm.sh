#!/bin/bash
# SPDX-License-Identifier: MIT
# socks4d against many, silent, malformed and vanishing clients: it serves the others meanwhile, and leaks nothing.
. "${0%/*}/../../lib/harness.sh"
LIMIT=600
if [ -n "$runtime" ]; then few=20; else few=1; fi # a sanitized server gets fewer clients

storm() { # MODE COUNT [SEED]
  SOCKS=$SOCKS LISTEN=$NET.3 COUNT=$2 SEED=${3:-0} limit "$BUILD/programs/storm" "$1"
}

# begin_storm ARG...: starts one that lasts until end_storm; returns when all its connections are open.
begin_storm() {
  coproc STORM { storm "$@"; }
  # shellcheck disable=SC2153 # bash sets it
  storm_pid=$STORM_PID
  exec {storm_in}>&"${STORM[1]}" {storm_out}<&"${STORM[0]}"
  local line=''
  read -r -t 60 line <&"$storm_out"
  [ "$line" = held ] || { echo "the storm has not begun: $*" && false; }
}

# Succeeds if the storm saw what it expected.
end_storm() {
  local to=$storm_in from=$storm_out
  # bash closes its ends of the coprocess when it waits.
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

# Data in transit waits in kernel buffers, not in the server.
keeps_nothing() {
  local before
  before=$(resident)
  begin_storm stopped 16
  [ -n "$runtime" ] || [ $(($(resident) - before)) -lt 2048 ] || { echo "grown from $before to $(resident) KiB" && false; }
  storm connects 100
  end_storm
}

# After the last session, descriptors and memory are as before. A leak of 100 bytes a session would be 7 MiB by now.
is_as_before() {
  await has_descriptors "$1" || { echo "$(descriptors) descriptors, $1 before" && ls -l "/proc/$pid/fd" && false; }
  [ -n "$runtime" ] || [ $(($(resident) - $2)) -lt 5120 ] || { echo "$(resident) KiB, $2 before" && false; }
}

# For two seconds somebody always waits for a descriptor; the server must not spin.
does_not_spin() {
  local before used
  begin_storm crowd 200
  before=$(ticks)
  sleep 2
  used=$(($(ticks) - before))
  [ $used -lt 50 ] || { echo "$used ticks of CPU time, of $(($(getconf CLK_TCK) * 2))" && false; }
  end_storm || { echo "the crowd was not served" && false; }
}

# An ordinary user's limit of descriptors: the server needs two for each client.
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

check "others are served among $clients silent and $clients incomplete clients" serves_among "$clients"
check "20,000 connects" storm connects $((20000 / few))
seed=${SEED:-4}
check "20,000 fuzzed requests, seed $seed" storm fuzzed $((20000 / few)) "$seed"
check "resets by either side at every stage" storm resets $((2700 / few))
check "readers that stop" keeps_nothing
check "descriptors and memory are as before" is_as_before "$before" "$memory"

start_socks4d --config storm.conf
pid=${servers[-1]}
# UBSan opens a pipe the first time it sees an exception class, so let it see one before descriptors run out.
[ -z "$runtime" ] || { storm resets 36 && await idle; }
prlimit --pid "$pid" --nofile=64
before=$(descriptors)
check "short of descriptors: it waits, and then serves all" does_not_spin
check "afterwards its descriptors are as before" is_as_before "$before" 999999
