#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher: what it finds and sets, and its one-line message for a mistake. An empty library is enough here.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/launch.sh"

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
check "bad usage" usage_errors
check "options after the command" leaves_options_alone
check "the exit status" passes_status
check "--help" helps
check "--version" tells_version
