#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher: what it finds and sets, and its one-line message for a command that it refuses. An empty library is enough
# here.
. "${0%/*}/../../lib/harness.sh"

# The sanitizer accepts that other libraries are loaded first.
export "${sanitizer_options[@]}" "ASAN_OPTIONS=$reports:verify_asan_link_order=0"
mkdir -p tree prefix/{bin,lib/socksify} linked bin bin2 "a folder"
cp "$LAUNCHER" "$BUILD/socksify-exec" tree
cp "$LAUNCHER" prefix/bin
cp "$BUILD/socksify-exec" prefix/lib/socksify
cc=(gcc -x c -)
"${cc[@]}" -shared -nostdlib -o tree/libsocksify.so <<<'int nothing;' || exit
cp tree/libsocksify.so prefix/lib/socksify
ln -s "$WORK/tree/socksify" linked/socksify
library=$WORK/tree/libsocksify.so
launcher=$WORK/tree/socksify

# Each of these creates the file "ran".
program='#include <fcntl.h>
int main(void) { return open("ran", O_CREAT | O_WRONLY, 0600) < 0; }'
"${cc[@]}" -o bin/dynamic <<<"$program" && "${cc[@]}" -static -o bin/static <<<"$program" || exit
script() {
  printf '%s\n' "$2" "echo \"\$0:\$*\"" >"bin/$1"
  chmod 755 "bin/$1"
}
script plain '#!/bin/sh'
script blanks '#! 	/bin/sh -e'
script bare 'true'
script by-static "#!$WORK/bin/static"
script by-nothing '#!/no/such/interpreter -x'
printf '#!/bin/sh\r\n' >bin/by-return && chmod 755 bin/by-return
script by-script "#!$WORK/bin/plain"
script by-chain "#!$WORK/bin/by-static"
script without-name '#! '

before=() # a command that starts the launcher
# launch ARGUMENT...: the launcher, with only bin and bin2 in PATH; SOCKS_SERVER=none unsets that.
launch() {
  local server=("SOCKS_SERVER=${SOCKS_SERVER-server}")
  [ "${SOCKS_SERVER-}" != none ] || server=(-u SOCKS_SERVER)
  PATH=$WORK/bin:$WORK/bin2${FURTHER:-} /usr/bin/env "${server[@]}" "${before[@]}" "$launcher" "$@"
}
# environment NAME [OPTION...]: prints the value that the program gets.
environment() { launch "${@:2}" /bin/sh -c "echo \"\${$1-unset}\""; }
# refuses STATUS MESSAGE ARGUMENT...: nothing runs, and one line has the message.
refuses() {
  local expected=$1 message=$2 status=0
  shift 2
  rm -f ran
  launch "$@" >out 2>errors || status=$?
  cat out errors
  [ "$status" = "$expected" ] || { echo "exit status $status, not $expected" && false; }
  [ ! -s out ]
  [ ! -e ran ]
  [ "$(wc -l <errors)" = 1 ]
  grep -qE "^socksify: .*$message" errors
}
runs() {
  rm -f ran
  launch "$@"
  [ -e ran ]
}

with_server() { SOCKS_SERVER=$1 environment SOCKSIFY_SERVER; }
good_servers() {
  local server
  for server in host 10.0.0.1:1 host.example:65535 a_b-c:080 socks4://h socks4://h:1080/ socks4a://u@h:1 SOCKS4://u@v@h Socks4A://h; do
    prints "$server" environment SOCKSIFY_SERVER -s "$server"
    prints "$server" with_server "$server"
  done
}
bad_servers() {
  local server
  while read -r server reason; do
    refuses 125 "-s: '${server//[[]/\\[}': .*$reason" -s "$server" dynamic
    SOCKS_SERVER=$server refuses 125 "SOCKS_SERVER: .*$reason" dynamic
  done <<END
socks5://host SOCKS4 only
http://host:3128 SOCKS4 only
socks4:host not HOST|port
host: port
host:0 port
host:65536 port
host:999999999999999999999 port
host:1x port
host:-1 port
:1080 the host is missing
socks4:// the host is missing
socks4://u@:1 the host is missing
u@host not HOST
ho/st not HOST
[::1]:1080 IPv6
::1 IPv6
socks4://[::1]:1080 IPv6
unix:path the path of a Unix socket must begin with /
unix: the path of
socks4://unix:/path port
END
  refuses 125 "-s: '': the host is missing" -s '' dynamic
  refuses 125 "-s: '': the host" -s host,,other dynamic
  refuses 125 "-s: 'h:x': the port" -s host,h:x dynamic
  refuses 125 "more servers than 8" -s 1,2,3,4,5,6,7,8,9 dynamic
  refuses 125 "not HOST" -s 'two words' dynamic
}
no_server() {
  SOCKS_SERVER='' refuses 125 "no SOCKS server" dynamic
  SOCKS_SERVER=none refuses 125 "no SOCKS server" dynamic
  ALL_PROXY=http://h:1 SOCKS_SERVER=none refuses 125 "no SOCKS server" dynamic
  ALL_PROXY=socks4://h SOCKS_SERVER='' refuses 125 "no SOCKS server" dynamic
}
server_precedence() {
  SOCKS4_SERVER=a:b refuses 125 SOCKS4_SERVER dynamic
  SOCKS4_SERVER='' runs dynamic
  SOCKS4_SERVER=other prints unset environment SOCKS4_SERVER -s mine
  prints unset environment SOCKS_SERVER
  all_proxy=socks4://h ALL_PROXY=socks4://a:b SOCKS_SERVER=none runs dynamic
  all_proxy=socks5://h ALL_PROXY=socks4://a:b SOCKS_SERVER=none refuses 125 ALL_PROXY dynamic
}

loads() { prints "$1" environment LD_PRELOAD; }
finds_library() {
  loads "$library"
  (cd tree && launcher=./socksify loads "$WORK/tree/./libsocksify.so")
  launcher=tree/socksify loads "$library"
  launcher=socksify FURTHER=:$WORK/tree loads "$library"
  launcher=$WORK/prefix/bin/socksify loads "$WORK/prefix/bin/../lib/socksify/libsocksify.so"
  launcher=$WORK/linked/socksify loads "$library"
  SOCKSIFY_LIBRARY=tree/libsocksify.so loads "$library"
  (cd prefix && SOCKSIFY_LIBRARY=../tree/libsocksify.so loads "$WORK/prefix/../tree/libsocksify.so")
}
lacks_library() {
  cp tree/socksify "a folder"
  launcher="$WORK/a folder/socksify" refuses 125 "socksify-exec is missing" dynamic
  cp tree/socksify-exec "a folder"
  launcher="$WORK/a folder/socksify" refuses 125 "libsocksify.so is missing" dynamic
  SOCKSIFY_LIBRARY=/no/such.so refuses 125 "/no/such.so" dynamic
  cp tree/libsocksify.so "a folder"
  launcher="$WORK/a folder/socksify" refuses 125 "a blank, a colon or a" dynamic
  rm "a folder/libsocksify.so"
}
keeps_preloads() { LD_PRELOAD=libc.so.6:libm.so.6 prints "$library:libc.so.6:libm.so.6" environment LD_PRELOAD; }

sets_user() {
  SOCKS_USER=old prints "a b" environment SOCKS_USER -u "a b"
  SOCKS_USERNAME=old prints unset environment SOCKS_USERNAME -u x
}
raises_debug() {
  prints 1 environment SOCKS_DEBUG -v
  prints 2 environment SOCKS_DEBUG -v -v
  prints 3 environment SOCKS_DEBUG -vvvv
  SOCKS_DEBUG=2 prints 3 environment SOCKS_DEBUG -v
  prints unset environment SOCKS_DEBUG
}
# A shell drops variables that it cannot have, so only socksify-exec passes on all of them.
keeps_environment() {
  keeps "$launcher" A=x EMPTY= mode=x folder=x option=x
  keeps "$launcher-exec" IFS=x 'odd name=1' 'f%%=() { :; }' EMPTY=
}
keeps() {
  env "${@:2}" /usr/bin/env -0 | sort -z >expected
  env "${@:2}" LD_PRELOAD= SOCKS_SERVER=x "$1" /usr/bin/env -0 | grep -zvE '^(LD_PRELOAD|SOCKSIFY_SERVER)=' | sort -z >actual
  same expected actual
}
keeps_arguments() {
  prints "[a b]
[]
[*]
[-v]
[--]
[x
y]
['\"\$\\]" launch -- /usr/bin/printf '[%s]\n' 'a b' '' '*' -v -- 'x
y' "'\"\$\\"
}

# Like execvp(3), also for commands with the name of a shell builtin.
finds_command() {
  local name
  for name in test echo kill -x; do
    ln -sf ../bin/dynamic "bin2/$name"
    runs -- "$name"
  done
  touch bin/later
  cp bin/dynamic bin2/later
  runs later
  mkdir -p bin/folder
  cp bin/dynamic bin2/folder
  runs folder
  cp bin/dynamic "a folder/a program"
  runs "a folder/a program"
  runs "$WORK/a folder/a program"
  cp bin/dynamic ./-here
  FURTHER=: runs -- -here
  FURTHER=::/usr/bin runs -- -here
}
first_argument() { launch "$1" /proc/self/cmdline | tr '\0' '\n' | head -n 1; }
keeps_name() {
  ln -sf /usr/bin/cat bin2/called
  prints called first_argument called
}
lacks_command() {
  refuses 127 "nosuch: no such command" nosuch
  refuses 127 "/no/such: no such" /no/such
  refuses 127 ": no such command" ''
  refuses 126 "bin/later: not an exec" bin/later
  chmod 600 bin2/later
  FURTHER=:/no/such refuses 126 "$WORK/bin/later: not an exec" later
  rm bin2/later
  refuses 126 "bin/later: not an exec" later
  refuses 126 "a folder: not an exec" "$WORK/a folder"
}
# An unreadable directory in PATH is passed over, as shells do.
passes_closed_folder() {
  local before=()
  [ "$(id -u)" != 0 ] || before=("$(command -v setpriv)" "--bounding-set=-dac_override,-dac_read_search")
  mkdir -p closed/in
  trap 'chmod 700 "$WORK/closed" || true' EXIT
  chmod 000 closed
  ln -sf loop bin/loop
  cp bin/dynamic bin2/loop
  FURTHER=:$WORK/closed refuses 127 "nosuch: no such command" nosuch
  cp bin/dynamic late
  FURTHER=:$WORK/closed: runs late
  runs loop
  refuses 126 "closed/in: Permission denied" closed/in
  refuses 126 "bin/loop: Too many levels of symbolic links" bin/loop
}
runs_scripts() {
  local name
  for name in plain blanks bare without-name; do prints "$WORK/bin/$name:a b" launch "$name" "a b"; done
  launch by-script
  chmod u+s bin/plain
  launch plain
}
# Static programs, PIE or not.
refuses_static() {
  refuses 125 "bin/static is statically linked" static
  refuses 125 "static-pie is statically" static-pie
  refuses 125 "by-static: its interpreter .*bin/static is statically" by-static
  refuses 125 "by-chain: its interpreter .*bin/static is statically" by-chain
  refuses 127 "by-nothing: its interpreter .*/no/such/interpreter.* does not exist" by-nothing
  refuses 127 'by-return: its interpreter /bin/sh.r does not exist: the line ends with a carriage return' by-return
}
# A program that cannot be examined must not run, or it might connect directly.
refuses_unseen() {
  # shellcheck disable=SC2016 # for the shell that is started
  local before=(/bin/sh -c 'ulimit -n 3 && exec "$@"' sh)
  launcher=$launcher-exec refuses 126 "bin/static cannot be inspected: Too many open files" static
}
runs_itself() {
  prints "$library:$library" launch "$launcher" -s other /bin/sh -c "echo \"\$LD_PRELOAD\""
  prints "$library:$library" launch "$launcher-exec" /bin/sh -c "echo \"\$LD_PRELOAD\""
}
refuses_other_libc() {
  musl-gcc -x c - -o bin/musl <<<"$program"
  refuses 125 "bin/musl is for the C library musl" musl
  musl-gcc -Wl,--dynamic-linker="/$(printf 'long%.0s' {1..30})/ld-musl.so" -x c - -o bin/musl-far <<<"$program"
  refuses 125 "bin/musl-far is for the C library musl" musl-far
  script by-musl "#!$WORK/bin/musl"
  refuses 125 "by-musl: its interpreter .*bin/musl is for the C library musl" by-musl
}
refuses_other_user() {
  local program=/bin/su
  [ "$(id -u)" != 0 ] || { program=$WORK/bin/suid && cp bin/dynamic bin/suid && chown 65534 bin/suid && chmod u+s bin/suid; }
  refuses 125 "$program is set-user-ID" "$program"
  echo "#!$program" >bin/by-suid
  chmod 755 bin/by-suid
  refuses 125 "by-suid: its interpreter $program is set-user-ID" by-suid
}
refuses_other_group() {
  cp bin/dynamic bin/sgid
  chgrp 65534 bin/sgid
  chmod g+s bin/sgid
  refuses 125 "sgid is set-" sgid
}
runs_own() {
  cp bin/dynamic bin/own
  chmod 6755 bin/own
  runs own
}
runs_unreadable() {
  local before=()
  # root without the capability to override permissions.
  [ "$(id -u)" != 0 ] || before=("$(command -v setpriv)" "--bounding-set=-dac_override,-dac_read_search")
  cp -f bin/dynamic bin/secret
  chmod 111 bin/secret
  runs secret
}

usage_errors() {
  refuses 125 "unknown option -x" -x dynamic
  refuses 125 "unknown option --nonsense" --nonsense dynamic
  refuses 125 "unknown option --help=x" --help=x
  refuses 125 "-s needs" -s
  refuses 125 "no command"
  refuses 125 "no command" -v --
}
leaves_options_alone() { prints "-v -s --help" launch -s h /bin/echo -v -s --help; }
passes_status() {
  ends_with 0 launch /bin/sh -c "exit 0"
  ends_with 3 launch /bin/sh -c "exit 3"
}
helps() {
  launch --help | grep -q '^usage: socksify .*COMMAND'
  launch -v --help >out 2>errors
  [ ! -s errors ]
}
tells_version() { prints "socksify $(sed -n 's/^VERSION := //p' "$TOP/Makefile")" launch --version; }

"${cc[@]}" -static-pie -o bin/static-pie <<<"$program" || exit
check "a good server" good_servers
check "a malformed server" bad_servers
check "no server" no_server
check "which server" server_precedence
check "the library is found" finds_library
check "the library is missing" lacks_library
check "LD_PRELOAD is kept" keeps_preloads
check "-u" sets_user
check "-v" raises_debug
check "the environment is kept" keeps_environment
check "arguments are kept" keeps_arguments
check "the command is found" finds_command
check "argv[0] is kept" keeps_name
check "the command is missing" lacks_command
check "an unreadable directory" passes_closed_folder
check "scripts" runs_scripts
check "static programs" refuses_static
[[ $BUILD = *san-* ]] || check "static programs, with too many files open" refuses_unseen # else it needs more itself
check "the launcher by itself" runs_itself
! command -v musl-gcc >/dev/null || check "a program of another C library" refuses_other_libc
check "a set-user-ID program of another user" refuses_other_user
[ "$(id -u)" != 0 ] || check "a set-group-ID program of another group" refuses_other_group
check "a set-user-ID program of our own" runs_own
check "a program that cannot be read" runs_unreadable
check "bad usage" usage_errors
check "options after the command" leaves_options_alone
check "the exit status" passes_status
check "--help" helps
check "--version" tells_version
