#!/bin/bash
# SPDX-License-Identifier: MIT
# Each call that the server makes for a name (SOCKS4A) or for IDENT fails in turn, with every errno it can give;
# tests/programs/faults/server_inject knows what it must do then. The name is in a hosts file, in a private mount namespace.
. "${0%/*}/../../lib/harness.sh"

in_namespaces
printf '%s\n' "127.0.0.1 localhost" "$NET.3 app.test" >hosts
echo "hosts: files" >nsswitch.conf
for file in hosts nsswitch.conf; do mount --bind $file "/etc/$file" || exit; done

# start_faultable NAME [ARG...]: a server whose calls fail as the file $INJECT says. early.so comes before the sanitizer's
# runtime.
start_faultable() {
  export INJECT=$WORK/injection.$1
  local sanitizer_options=("${sanitizer_options[@]}" "LD_PRELOAD=${runtime:+$runtime:}$BUILD/preload/inject.so"
    "ASAN_OPTIONS=$reports:verify_asan_link_order=0")
  start_socks4d --threads 1 --log - "${@:2}"
}
faults() {
  SOCKS=$SOCKS DESTINATION=$APP SERVER_PID=$SOCKS4D HOST_NAME=app.test "$BUILD/programs/server_inject" "$1" >"$2.count" ||
    { cat "$2.count" && false; }
}

start_app
start_faultable names
for scenario in host_name bind_host_name; do
  check "by name, every call, every errno: $scenario" faults "$scenario" "$scenario"
done
check "by name, no session is left" await idle

IDENT_PORT=$(unused_port)
start identd "$python" -B "$TOP/tests/servers/identd.py" "$NET.6" "$IDENT_PORT" user user
announced identd
echo "ident require" >rules.conf
start_faultable ident --config rules.conf --ident-port "$IDENT_PORT"
export FROM=$NET.6:0
for scenario in host_name bind; do
  check "by an identd, every call, every errno: $scenario" faults "$scenario" "ident-$scenario"
done
check "by an identd, no session is left" await idle
note "$(cat ./*.count | awk '/injected/ {n += $2} END {print n}') faults injected"
