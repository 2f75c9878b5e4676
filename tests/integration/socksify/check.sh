#!/bin/bash
# SPDX-License-Identifier: MIT
# socksify --check: its findings for each kind of program and server, as text and as JSON.
. "${0%/*}/../../lib/harness.sh"

export SOCKSIFY_DNS=local # this machine's DNS servers do not matter

# says STATUS LINE... -- ARGUMENT...: --check exits with STATUS and prints these lines (patterns); no other line says FAIL.
says() {
  local expected=$1 lines=() status=0 line
  shift
  while [ "$1" != -- ]; do
    lines+=("$1")
    shift
  done
  shift
  checked "$@" >findings || status=$?
  cat findings
  [ "$status" = "$expected" ] || { echo "exit status $status, not $expected" && false; }
  for line in "${lines[@]}"; do has findings "^$line"; done
  [ "$(grep -c ^FAIL findings)" = "$(printf '%s\n' "${lines[@]}" | grep -c ^FAIL)" ]
}
checked() {
  limit env "SOCKSIFY_LIBRARY=${LIBRARY:-$BUILD/libsocksify.so}" ${runtime:+"LD_PRELOAD=$runtime"} "${sanitizer_options[@]}" \
    "ASAN_OPTIONS=$reports:verify_asan_link_order=0:detect_leaks=0" "$LAUNCHER" -s "$SOCKS" ${USERID:+-u "$USERID"} --check "$@"
}

# --- programs
program='int main(void) { return 0; }'
compile() { "${@:2}" -x c - -o "$1" <<<"$program"; }
script() {
  printf '%s\n' "$2" >"$1"
  chmod 755 "$1"
}
good='ok +program  .*: dynamically linked, [36][24] bits'
loaded='ok +library  .*libsocksify.so: loaded by /lib'

dynamic() { says 0 "$good" "$loaded" -- "$1"; }
found_in_path() {
  PATH=$WORK/bin:$PATH dynamic in-path
  says 1 'FAIL program  no-such: no such command' -- no-such
}
static() { says 1 "FAIL program  $WORK/static: is statically linked" -- "$WORK/static"; }
other_user() { says 1 "FAIL program  $1: is set-user-ID" -- "$1"; }
other_group() { says 1 "FAIL program  ./sgid: is set-user-ID or set-group-ID" -- ./sgid; }
with_capabilities() {
  local LAUNCHER=$WORK/as-nobody LIBRARY=$WORK/tree/libsocksify.so
  dynamic "$WORK/bin/in-path"
  says 1 "FAIL program  $WORK/capable: has capabilities" -- "$WORK/capable"
}
other_libc() { says 1 "$good" 'FAIL library  .*: not loaded by /lib/ld-musl.*musl, not the GNU one: .*(symbol not found|lib[at]san)' -- "$WORK/musl"; }
other_word_size() { says 1 "FAIL program  $WORK/i386: is a program of 32 bits for i386" -- "$WORK/i386"; }
linker() { says 0 'ok +program  .*: a dynamic linker' -- /lib64/ld-linux-x86-64.so.2; }
# A program could name a script of its own for its dynamic linker: --check must not run it.
foreign_linker() {
  local linker
  for linker in "$WORK/linker.sh" "$WORK/ld-linux-x86-64.so.2"; do
    script "$linker" "#!/bin/sh
touch '$WORK/ran'"
    gcc -Wl,--dynamic-linker="$linker" -x c - -o by-script <<<'int main(void) { return 0; }'
    says 0 "warn library  $linker: not one of the system's" -- ./by-script
  done
  absent ran
}
sanitized() { says 0 "$good" "$loaded" -- ./asan; }
advice() {
  local name
  for name in nmap php8.2 chromium masscan; do
    ln -sf in-path "bin/$name"
    says 0 "$good" "warn program  $WORK/bin/$name: " -- "$WORK/bin/$name"
  done
  for name in gpg adb wine64 tmux; do
    ln -sf in-path "bin/$name"
    says 0 "warn program  $WORK/bin/$name: .* run already" -- "$WORK/bin/$name"
  done
  mkdir -p empty
  says 1 "FAIL program  chroot: .*libsocksify.so does not exist in $WORK/empty" -- chroot "$WORK/empty" true
  says 0 "$good" -- chroot / true
}
dead_entries() {
  NO_PROXY='*.x,host:80, 10.0.0.0/99 [1.2.3.4] good.example,::1,10.0.0.0/8' says 0 "warn settings NO_PROXY: '\*.x' matches nothing" \
    "warn settings NO_PROXY: 'host:80'" "warn settings NO_PROXY: '10.0.0.0/99'" "warn settings NO_PROXY: '\[1.2.3.4\]'" --
  prints 4 grep -c 'matches nothing' findings
}
go() { says 1 "FAIL program  $WORK/go: is written in Go" -- "$WORK/go"; }
lacks_linker() { says 1 "FAIL program  ./lacks-linker: its dynamic linker /no/such does not exist" -- ./lacks-linker; }
unreadable() {
  local LAUNCHER=$LAUNCHER
  [ "$(id -u)" != 0 ] || LAUNCHER=$WORK/as-nobody-much
  says 0 "warn program  $WORK/secret: cannot be read" -- "$WORK/secret"
}
no_program() {
  touch data
  says 1 'FAIL program  ./data: not an executable file' -- ./data
  says 1 'FAIL program  ./no-such: does not exist' -- ./no-such
  says 1 'FAIL program  ./bin: not an exec' -- ./bin
}
follows_scripts() {
  script direct "#!$WORK/static -x"
  says 1 "ok +program  ./direct: a script for $WORK/static -x" \
    "FAIL program  $WORK/static: is statically" -- ./direct
  script twice "#! $WORK/direct"
  says 1 "FAIL program  $WORK/static: is statically" -- ./twice
  script bare true
  says 0 "ok +program  ./bare: a script for /bin/sh" "$good" -- ./bare
  script blank '#! '
  says 0 "ok +program  ./blank: a script for /bin/sh" "$good" -- ./blank
  script nothing '#!/no/such'
  says 1 'FAIL program  /no/such: does not exist' -- ./nothing
  script loop "#!$WORK/loop"
  says 1 'FAIL program  .*/loop: too many' -- ./loop
}
follows_env() {
  PATH=$WORK:$PATH
  script by-env '#!/usr/bin/env static'
  says 1 'ok +program  ./by-env: a script' "$good" "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env -S A=1 -i static -x'
  says 1 "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env -S -u A -iC / B=1 static'
  says 1 "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env -Sstatic other'
  says 1 "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env sh -e'
  says 1 "FAIL program  ./by-env: /usr/bin/env gets 'sh -e' as one argument" -- ./by-env
  script by-env '#!/usr/bin/env no-such'
  says 1 'FAIL program  no-such: no such command, and' -- ./by-env
}

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
compile bin/in-path gcc && compile static gcc -static || exit
compile lacks-linker gcc -Wl,--dynamic-linker=/no/such || exit
# shellcheck disable=SC2119 # no options
start_socks4d
check "a dynamic program" dynamic "$WORK/bin/in-path"
check "a program in PATH" found_in_path
check "a static program" static
cp bin/in-path secret && chmod 111 secret || exit
if [ "$(id -u)" = 0 ]; then
  mkdir -p tree && cp "$LAUNCHER" "$BUILD"/{libsocksify.so,socksify-exec,socksify-check} tree || exit
  nobody='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all'
  script as-nobody "#!/bin/sh
exec $nobody '$WORK/tree/socksify' \"\$@\""
  script as-nobody-much "#!/bin/sh
exec setpriv --bounding-set=-dac_override,-dac_read_search '$LAUNCHER' \"\$@\""
  cp bin/in-path suid && chown 65534 suid && chmod u+s suid && cp bin/in-path sgid && chgrp 65534 sgid && chmod g+s sgid || exit
  check "a set-user-ID program" other_user "$WORK/suid"
  check "a set-group-ID program" other_group
  if ! cp bin/in-path capable || ! setcap cap_net_raw+ep capable; then
    skip "file capabilities" "the file system has none"
  elif ! chmod 711 "$WORK" "$WORK/.." "$WORK/../.." || ! $nobody test -x "$WORK/capable"; then
    skip "file capabilities" "nobody gets here"
  else
    check "a program with capabilities" with_capabilities
  fi
else
  check "a set-user-ID program" other_user /bin/su
fi
check "a program that cannot be read" unreadable
! installed musl-gcc || { compile musl musl-gcc && check "a program of another C library" other_libc; }
[ "$(uname -m)" != x86_64 ] || { compile i386 gcc -m32 && check "a program of another word size" other_word_size; }
# The section that Go's linker writes into every program.
program="$program"'
__asm__(".section .note.go.buildid, \"a\", @note\n .long 3, 4, 4\n .asciz \"Go\"\n .byte 0\n .ascii \"some\"\n .previous");'
compile go gcc && check "a program in Go" go
[ "$(uname -m)" != x86_64 ] || check "the dynamic linker as the command" linker
check "a dynamic linker that is not the system's" foreign_linker
if [ -z "$runtime" ] && gcc -fsanitize=address -x c - -o asan <<<'int main(void) { return 0; }'; then
  check "a program with a sanitizer" sanitized
fi
[ "$(id -u)" != 0 ] || check "programs with ways past the proxy" advice
check "entries of NO_PROXY that match nothing" dead_entries
check "a program without its dynamic linker" lacks_linker
check "what is no program" no_program
check "interpreters of scripts" follows_scripts
check "env in the first line of a script" follows_env
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
