#!/bin/bash
# SPDX-License-Identifier: MIT
# Everything that can go wrong while connecting does, one at a time: the server's reply ends, is reset or stalls after each
# byte, and each call of the library fails with every errno it can give. tests/programs/faults/inject knows what the program
# may see then.
. "${0%/*}/../../lib/harness.sh"
connects="blocking poll select epoll read" binds="bind bind_poll"

inject() { PRELOAD=$BUILD/preload/inject.so INJECT=$WORK/inject.$1.$2 DESTINATION=$APP client inject "$1"; }
all_calls() {
  USERID=inject LIMIT=600 inject "$1" calls >"$1.count" || { cat "$1.count" && false; }
  saw_only_peer app
}
# cut EXPECTED ACT...: all at once, because a stalling server uses up the whole time limit.
cut() {
  local expected=$1 act scenario pids=()
  for act in "${@:2}"; do
    for scenario in $connects; do
      USERID=connect-$act EXPECT=$expected ONCE=yes inject "$scenario" "$act" & pids+=($!)
    done
    for scenario in $binds; do
      USERID=bind-$act EXPECT=$expected ONCE=yes inject "$scenario" "$act" & pids+=($!)
      [ "$expected" != silence ] || continue
      USERID=second-$act EXPECT=call ONCE=yes inject "$scenario" "second-$act" & pids+=($!)
    done
  done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

start_app
start_socks4d --threads 1
for scenario in $connects $binds; do
  check "every call, every errno: $scenario" all_calls "$scenario"
done
note "$(cat ./*.count | awk '{n += $2} END {print n}') faults injected"
start_faulty by-userid
for byte in 0 1 2 3 4 5 6 7; do
  check "end of file after $byte bytes" cut dead "eof-$byte"
  check "reset after $byte bytes" cut dead "rst-$byte"
done
export SOCKSIFY_TIMEOUT=4 # for what is answered, too, by all at once
check "silence after 0, 1, ... 7 bytes" cut silence stall-{0..7}
