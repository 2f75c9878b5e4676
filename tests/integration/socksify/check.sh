#!/bin/bash
# SPDX-License-Identifier: MIT
# socksify --check: its findings for settings and for each kind of server, as text and as JSON.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/check.sh"

# --- the library and the settings
by_itself() { says 0 "$loaded" 'ok +server' --; }
broken_library() {
  mkdir -p broken
  cp "$BUILD/socksify-check" broken
  echo nonsense >broken/libsocksify.so
  LIBRARY=$WORK/broken/libsocksify.so says 1 "$good" 'FAIL library  .*cannot be preloaded' -- "$WORK/bin/in-path"
}
bad_setting() { SOCKSIFY_TIMEOUT=soon says 1 'FAIL settings SOCKSIFY_TIMEOUT=soon: not a number' --; }
bad_server() { SOCKS=gate:x says 1 "FAIL settings -s: 'gate:x': the port" --; }

# --- servers
good_server() { says 0 'ok +server   .*: reached in [0-9.]+ ms' 'ok +socks4   .* is granted' 'ok +socks4a  ' "ok +bind     .* at $PEER:" --; }
by_danted() { says 0 'ok +server' 'ok +socks4   ' 'ok +bind     ' --; }
refused() { SOCKS=$NET.1:$(unused_port) says 1 "FAIL server   $NET.1:[0-9]+: Connection refused" --; }
unknown_host() { SOCKS=no-such.invalid says 1 'FAIL server   no-such.invalid:1080: this host does not know its address' --; }
by_name() {
  start named "$python" -B "$TOP/tests/servers/plain_socks.py" 127.0.0.1
  announced named
  SOCKS=localhost:${ADDRESS#*:} says 0 "ok +server   localhost:[0-9]+ \($ADDRESS\): reached" 'ok +socks4' --
}
# other SERVER PATTERN: its finding for a server of another protocol.
other() { SOCKSIFY_TIMEOUT=1 SOCKS=$1 says 1 'ok +server' "FAIL socks4   $1: $2" --; }
behaves() { SOCKSIFY_TIMEOUT=3 USERID=$1 says "$2" "${@:3}" --; }
no_names() {
  SOCKS=$PLAIN says 0 'ok +socks4   .* is granted' 'warn socks4a  .* does not resolve names' 'warn bind     .*rejected \(reply 91\)' --
  SOCKSIFY_DNS=remote SOCKS=$PLAIN says 1 'FAIL socks4a  ' --
  SOCKSIFY_DNS='' SOCKS=socks4a://$PLAIN says 1 'FAIL socks4a  ' --
  SOCKSIFY_DNS=auto SOCKS=socks4a://me@$PLAIN says 0 'warn socks4a  ' --
}
no_bind() {
  SOCKSIFY_BIND=off SOCKS=$PLAIN says 0 'ok +socks4' --
  fails grep -q bind findings
}
several() {
  SOCKS=$NET.1:1,$SOCKS says 0 'warn server   .*:1: Connection refused' 'ok +bind' --
  SOCKS=$NET.1:1,$NET.1:2 says 1 'FAIL server.*:1: ' 'FAIL server.*:2: ' --
}
# As in the library, a userid in the URL of one server applies to all.
one_userid() { SOCKS=socks4://connect-refuse-91@$NET.1:1,$SOCKS says 0 'warn server   .*:1: ' 'ok +socks4   .* rejected \(reply 91\)' --; }
# takes SERVER: the library supports such a server.
takes() {
  ! env ${runtime:+"LD_PRELOAD=$runtime:$BUILD/libsocksify.so"} LD_PRELOAD="${runtime:+$runtime:}$BUILD/libsocksify.so" SOCKS_SERVER="$1" \
    true 2>&1 | grep -q denied || { skip "$1" "the library knows no such server" && false; }
}
on_a_unix_socket() {
  start unix-server "$python" -B -c 'if True:
    import os, socket, sys
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        client = listener.accept()[0]
        if client.recv(64):
            client.sendall(bytes([0, 91]) + bytes(6))
        client.close()' "$WORK/a socket"
  await test -S "$WORK/a socket"
  SOCKS="unix:$WORK/a socket" checked >findings || true
  has findings "^ok +server   unix:$WORK/a socket: reached"
  has findings '^ok +socks4   .* rejected'
  SOCKS=unix:$WORK/none ends_with 1 checked >findings
  has findings "^FAIL server   unix:$WORK/none: No such file"
}

# --- JSON
valid_json() {
  local status=0
  checked --json "${@:2}" >json || status=$?
  cat json
  [ $status = "$1" ]
  "$python" -c 'import json, sys
report = json.load(open("json", encoding="utf-8"))
assert report["works"] is (sys.argv[1] == "0"), report
assert all(set(one) == {"result", "about", "text"} for one in report["findings"])
assert all(one["result"] in ("ok", "warn", "FAIL") for one in report["findings"])
assert any(one["result"] == "FAIL" for one in report["findings"]) is not report["works"]' "$1"
}
for_machines() {
  local odd=$'a "quoted" \\ \x01\ttab\nline \xff\xc3\xa9 end'
  valid_json 0 "$WORK/bin/in-path"
  valid_json 1 no-such
  valid_json 1 "$odd"
  has json 'a \\"quoted\\" \\\\ \\u0001\\u0009tab\\u000aline \\ufffdé end'
  SOCKS='gate":x' valid_json 1
  has json 'gate\\":x'
  says 1 'FAIL program  a "quoted"' -- "$odd"
  [ "$(wc -l <findings)" -gt 1 ]
}
refuses_json_alone() {
  fails "$LAUNCHER" -s x --json true 2>out
  has out '^socksify: --json goes with --check'
}

mkdir bin
compile bin/in-path gcc || exit
# shellcheck disable=SC2119 # no options
start_socks4d
check "without a command" by_itself
check "a broken library" broken_library
check "a malformed setting" bad_setting
check "a malformed server" bad_server

check "socks4d" good_server
check "a server by its name" by_name
! takes "a:1,b:1" || check "several servers" several
check "nobody listens" refused
check "an unknown host" unknown_host
start plain "$python" -B "$TOP/tests/servers/plain_socks.py" "$NET.1"
announced plain
PLAIN=$ADDRESS
check "SOCKS4 without names and BIND" no_names
check "BIND is off" no_bind
! takes unix:/none || check "on a Unix socket" on_a_unix_socket
check "JSON" for_machines
check "--json alone" refuses_json_alone

mkdir site
start_web "$WORK/site"
check "an HTTP server" other "$WEB" "speaks HTTP, not SOCKS4"
if installed sshd; then
  ssh-keygen -q -t ed25519 -N '' -f key
  port=$(unused_port)
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  start sshd /usr/sbin/sshd -D -e -f /dev/null -h "$WORK/key" -o "ListenAddress=$NET.3:$port" -o PidFile=none -o StrictModes=no
  answers sshd "$NET.3:$port"
  check "an SSH server" other "$ADDRESS" "speaks SSH, not SOCKS4"
fi
start_faulty by-userid
check "no identd" behaves connect-refuse-92 1 'ok +server' 'FAIL socks4   .*cannot ask identd on this host'
check "identd names another user" behaves connect-refuse-93 1 'ok +server' 'FAIL socks4   .*another userid'
check "one userid for several servers" one_userid
check "everything is rejected" behaves connect-refuse-91 0 'ok +socks4   .* rejected \(reply 91\)' 'ok +socks4a'
check "a server that says nothing" behaves connect-silence 1 'FAIL socks4   .*says nothing for 3 s'
check "a server that closes" behaves connect-close 1 'FAIL socks4   .*closes the connection instead'
check "a reply with another version" behaves connect-version-4 1 'FAIL socks4   .*does not speak SOCKS4: it replies 04 5'
check "BIND is rejected" behaves bind-refuse-91 0 'ok +socks4  ' 'warn bind     .*a BIND is rejected \(reply 91\)'
check "BIND: a reply without an address" behaves bind-noaddress 0 "ok +bind     .* at $NET.1:"
start_faulty deaf-rst
check "a server that resets" behaves x 1 'FAIL socks4   .*resets the connection instead'
if start_danted; then
  check "danted" by_danted
fi
if installed microsocks; then
  port=$(unused_port)
  start microsocks microsocks -i "$NET.1" -p "$port"
  answers microsocks "$NET.1:$port"
  check "a SOCKS5 server" other "$ADDRESS" "speaks SOCKS5, not SOCKS4"
fi
