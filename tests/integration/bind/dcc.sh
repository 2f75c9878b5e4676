#!/bin/bash
# SPDX-License-Identifier: MIT
# DCC: an IRC client tells another where to call it. The caller is on its own host, not on that of the primary connection.
. "${0%/*}/../../lib/harness.sh"

start_irc() {
  local port
  port=$(unused_port)
  cat >ngircd.conf <<END
[Global]
Name = irc.example.org
Info = test
Listen = $NET.3
Ports = $port
[Options]
Ident = no
DNS = no
PAM = no
END
  chmod 600 ngircd.conf
  start ngircd /usr/sbin/ngircd --nodaemon --config "$WORK/ngircd.conf"
  answers ngircd "$NET.3:$port"
  IRC=$ADDRESS
}

# dcc OUTCOME SETTING...
dcc() {
  rm -rf inside outside said
  LIMIT=300 limit "$python" -B "$TOP/tests/programs/bind/dcc.py" "${IRC%:*}" "${IRC#*:}" "$WORK/sent" "$1" \
    env "${others_options[@]}" SOCKS_SERVER="$SOCKS" SOCKSIFY_LOOPBACK=proxy SOCKS_DEBUG=1 SOCKS_LOGOUTPUT="$WORK/said" "${@:2}" \
    LD_PRELOAD="$runtime${runtime:+:}$BUILD/libsocksify.so"
}
received() {
  dcc received SOCKSIFY_BIND=any
  cmp sent outside/sent
}
# Then only the IRC server may call, and the log tells the user what to change.
refused() {
  dcc refused SOCKSIFY_BIND=auto
  grep "BIND for a call from ${IRC//./\\.}: ECONNABORTED: .*, or another host did (SOCKSIFY_BIND=any allows that)" said
}

head -c 300000 /dev/urandom >sent
start_socks4d --threads 1
start_irc
check "a file and a chat by DCC, irssi" received
check "a call from a host other than the primary connection" refused
