#!/bin/bash
# SPDX-License-Identifier: MIT
# $TRANSFERS (300) of every kind, by one long-lived process (tests/programs/connect/soak.py) and by real clients, while
# socks4d is restarted twice: each byte arrives or an error is reported, and nothing leaks.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

transfers=${TRANSFERS:-300}
rounds=$((transfers / 100)) of_a_round=39
LIMIT=${SOAK_LIMIT:-600}

restarted() { [ -e down ] && { [ ! -e up ] || [ up -nt begin ]; }; }
excused() { restarted && echo restarted >>broken; }
one_more() { echo "$1" >>transferred; }

# Many connections at once; curl prints the exit status of each.
by_parallel_curl() {
  local number status
  rm -f many.*
  through curl -s --no-progress-meter --parallel --parallel-immediate --parallel-max 20 -w '%{filename_effective} %{exitcode}\n' \
    -o 'many.#1' "http://$WEB/get.3?[1-30]" >statuses
  for number in {1..30}; do
    status=$(sed -n "s/^many.$number //p" statuses)
    if [ "$status" != 0 ]; then
      excused || { echo "curl $number: exit status $status" && return 1; }
    else
      same "many.$number" root/get.3 && one_more http || return
    fi
  done
}

# ftp_once CLIENT VERB: as in tests/lib/ftp.sh.
ftp_once() {
  rm -f got root/in/up
  if by_"$1" "$2" >client.out 2>&1; then
    case $2 in get) cmp got root/get.bin ;; put) cmp sent root/in/up ;; esac && one_more ftp && return
  fi
  excused || { echo "$1 $2" && cat client.out && false; }
}

round() {
  local client verb
  touch begin
  by_parallel_curl || return
  for client in $clients; do
    # The exit status of the old clients does not show a failed transfer.
    for verb in get put; do touch begin && ftp_once "$client" "$verb" || return; done
  done
  touch begin
  if MODE=-p by_inetutils_ftp get >client.out 2>&1 && cmp got root/get.bin; then one_more ftp; else excused; fi
}
all_rounds() {
  local number
  for ((number = 0; number < rounds; number++)); do round || return; done
}

descriptors() { find "/proc/$SOCKS4D/fd" -mindepth 1 | wc -l; }
resident() { awk '/^Rss:/ { print $2 }' "/proc/$SOCKS4D/smaps_rollup"; }

# restart SIGNAL: ends socks4d and starts another at the same address.
restart() {
  rm -f up
  touch down
  kill "-$1" "$SOCKS4D"
  wait "$SOCKS4D" 2>/dev/null
  start socks4d env "${sanitizer_options[@]}" "$BUILD/socks4d" --listen "$SOCKS" --bind-address "$PEER" --threads 2
  announced socks4d
  export SOCKS4D=${servers[-1]}
  began_with=$(descriptors) began_at=$(resident)
  touch up
}

has_ended() {
  local status=0
  wait "$1" 2>/dev/null || true # no child of this subshell: its status is in the file
  status=$(cat "$2.status")
  [ "$status" = 0 ] || { cat "$2.out" && echo "exit status $status" && false; }
}

# Each thread keeps a pipe for its next session.
few_descriptors() { [ "$(descriptors)" -le $((began_with + 4)) ]; }
server_is_as_before() {
  await idle || { counters && false; }
  await few_descriptors || { ls -l "/proc/$SOCKS4D/fd" && false; }
  [ -n "$runtime" ] || [ $(($(resident) - began_at)) -lt 4096 ] || { echo "$(resident) KiB, $began_at when it started" && false; }
}
client_is_as_before() {
  local before after kib kib_after
  read -r before after kib kib_after < <(sed -n 's/^held: descriptors \([0-9]*\) \([0-9]*\), KiB \([0-9]*\) \([0-9]*\)/\1 \2 \3 \4/p' long.out)
  [ "$before" = "$after" ] || { grep held: long.out && false; }
  [ -n "$runtime" ] || [ $((kib_after - kib)) -lt 4096 ] || { grep held: long.out && false; }
}

: >transferred
: >broken
ftp_files
sizes=(0 1 1000 65536 300000)
for number in "${!sizes[@]}"; do head -c "${sizes[number]}" /dev/urandom >"root/get.$number"; done
clients=
for client in curl_eprt curl_port lftp ncftp; do ! command -v "$(program_of "$client")" >/dev/null || clients+=" $client"; done

start_web "$WORK/root"
start_vsftpd "$WORK/root" || exit 0 # pyftpdlib does not answer one in thirty of several clients' transfers, with or without us
start_app
start_socks4d --threads 2
began=$SECONDS
(
  through "$python" -B "$TOP/tests/programs/connect/soak.py" $((transfers - rounds * of_a_round)) "${WEB%:*}" "${WEB#*:}" "${FTP#*:}" "${APP#*:}" root >long.out 2>&1
  echo $? >long.status
) &
long=$!
(
  all_rounds >rounds.out 2>&1
  echo $? >rounds.status
) &
real=$!
patiently() { until [ -e "$1" ] || [ -e long.status ]; do sleep 0.05; done; }
patiently reached.1 && restart TERM
patiently reached.2 && restart KILL
wait "$long" "$real"

check "one long-lived process: nothing lost" has_ended "$long" long
check "real clients: nothing lost" has_ended "$real" rounds
check "everything through socks4d" prints "$PEER" eval "sed -nE 's/^peer ([0-9.]+):.*/\1/p' web.log app.log | sort -u"
check "the process: descriptors and memory are as before" client_is_as_before
check "socks4d: no session, descriptors and memory as before" server_is_as_before
note "$transfers transfers in $((SECONDS - began)) s, by one process: $(sed -n 's/^done: //p' long.out)" \
  "by real clients: $(sort transferred | uniq -c | xargs), broken by the restart: $(grep -c . broken)"
note "the process: $(sed -n 's/^held: //p' long.out); socks4d: descriptors $began_with $(descriptors), KiB $began_at $(resident)"
