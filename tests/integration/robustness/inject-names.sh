#!/bin/bash
# SPDX-License-Identifier: MIT
# Each call that the library makes for SOCKS4A names fails in turn, with every errno it can give;
# tests/programs/faults/inject_names knows what the program may see then.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/names.sh"

# One scenario uses the default file.
inject() { # SCENARIO
  if [ "$1" = several ]; then unset SOCKSIFY_SESSION; else SOCKSIFY_SESSION=$WORK/session.$1; fi
  PRELOAD=$BUILD/preload/inject.so INJECT=$WORK/inject.$1 LIMIT=200 \
    APP_PORT=${APP#*:} OTHER_PORT=${OTHER#*:} client inject_names "$1"
}
declare -A pids=()
begin() {
  local scenario
  for scenario in "$@"; do
    inject "$scenario" >"$scenario.count" 2>&1 & pids[$scenario]=$!
  done
}
# Waits for scenarios that begin() has started.
end() {
  local scenario status
  for scenario in "$@"; do
    wait "${pids[$scenario]}"
    status=$?
    check "every call, every errno: $scenario" survived "$scenario" "$status"
  done
}
survived() { [ "$2" = 0 ] || { cat "$1.count" && false; }; }
# Looks at the logs from the beginning of the script.
in_all() {
  marks=()
  "$@"
}
only_proxied() {
  saw_only_peer app
  saw_only_peer other
}

mkdir -p "/run/user/$(id -u)"
start_app
start other "$python" -B "$TOP/tests/servers/appserver.py" "$NET.4"
announced other
OTHER=$ADDRESS
export USERID=inject HOSTS_TEST=$NET.3 SOCKSIFY_DNS=remote
start_socks4d --threads 1
begin blocking poll several exec
end blocking poll several exec
begin deleted emptied overwritten local
end deleted emptied overwritten local
check "no name server was asked" in_all nobody_asked
SOCKSIFY_DNS=auto
begin epoll
end epoll
check "only the SOCKS server reached the servers" in_all only_proxied
note "$(cat ./*.count | awk '/injected/ {n += $2} END {print n}') faults injected"
