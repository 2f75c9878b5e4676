#!/bin/bash
# SPDX-License-Identifier: MIT
# socks4d.conf(5): what each statement does, and the messages for mistakes; how rules are reloaded; and what is
# denied without a rule. For clients of other machines see other-machine.sh.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/wire.sh"

# decides CODE STATEMENTS [ASK-ARGUMENT...]: the reply to a request for the application server, under these statements
# (separated by ";"). Only a granted CONNECT reaches the server.
decides() {
  local code=$1 statements=$2
  shift 2
  case ${1:-} in connect | bind) ;; *) set -- connect "$APP" "$@" ;; esac
  configure "${statements//;/$'\n'}" >/dev/null
  prints "$code" ask "$@"
  if [ "$code$1" = 90connect ]; then logged app '^peer'; else never_logged app '^peer'; fi
}
# mistaken MESSAGE TEXT: the file is refused with one line that names it.
mistaken() {
  local option
  # shellcheck disable=SC2059 # what stands for bytes is the format
  printf "$2" >wrong.conf
  for option in --check-config '--listen 127.0.0.1:0'; do
    # shellcheck disable=SC2086 # two words
    ends_with 1 limit "$BUILD/socks4d" $option --config wrong.conf >out 2>said
    is_empty out
    prints "socks4d: wrong.conf:$1" cat said
  done
}
fine() {
  # shellcheck disable=SC2059 # what stands for bytes is the format
  printf "$1" >fine.conf
  limit "$BUILD/socks4d" --check-config --config fine.conf >actual 2>&1
  [ ! -s actual ]
}
file_comes_and_goes() {
  start_socks4d --config-if-any "$WORK/later.conf"
  prints 90 ask connect "$APP"
  echo deny >later.conf
  kill -HUP "$SOCKS4D"
  counters >/dev/null
  prints 91 ask connect "$APP"
  rm later.conf
  kill -HUP "$SOCKS4D"
  counters >/dev/null
  logged socks4d '^socks4d: cannot read .*later.conf: No such file or directory; keeping the previous rules$'
  prints 91 ask connect "$APP"
}
no_file() {
  fails limit "$BUILD/socks4d" --check-config --config nothing.conf 2>said
  prints 'socks4d: cannot read nothing.conf: No such file or directory' cat said
}

bad_reload() {
  configure "default deny" >/dev/null
  prints 91 ask connect "$APP"
  configure "default allow" "alow" >/dev/null
  prints 91 ask connect "$APP"
  logged socks4d '^socks4d: .*rules.conf:2: "alow": unknown statement; keeping the previous rules$'
  configure "default allow" >/dev/null
  prints 90 ask connect "$APP"
}
vanished() {
  configure "default deny" >/dev/null
  rm rules.conf
  kill -HUP "$SOCKS4D"
  counters >/dev/null
  logged socks4d '^socks4d: cannot read .*rules.conf: No such file or directory; keeping the previous rules$'
  prints 91 ask connect "$APP"
  configure "" >/dev/null
  prints 90 ask connect "$APP"
}

start_wire
: >rules.conf
start_app
start_socks4d --config "$WORK/rules.conf" --threads 2
port=${APP#*:}
# shellcheck disable=SC2086 # four numbers
name=$(printf '0x%02x%02x%02x03' ${NET//./ })

check "without rules everything is allowed" decides 90 ""
check "default deny" decides 91 "default deny"
check "default allow" decides 90 "default deny;default allow"
check "deny" decides 91 "deny"
check "the first that fits decides: allow" decides 90 "allow;deny"
check "the first that fits decides: deny" decides 91 "deny;allow;default allow"
check "a rule that does not match is skipped" decides 90 "deny to 192.0.2.1;allow to $NET.3;deny"

check "command connect: a CONNECT" decides 91 "deny command connect"
check "command connect: a BIND" decides 90 "deny command connect" bind "$APP"
check "command bind: a BIND" decides 91 "deny command bind" bind "$APP"
check "command bind: a CONNECT" decides 90 "deny command bind"
check "from: the client" decides 90 "allow from $NET.7;deny" from "$NET.7"
check "from: another client" decides 91 "allow from $NET.7;deny" from "$NET.8"
check "from: a network" decides 90 "allow from $NET.128/25;deny" from "$NET.130"
check "from: beyond a network" decides 91 "allow from $NET.128/25;deny" from "$NET.127"
check "to: a host" decides 91 "deny to $NET.3"
check "to: another host" decides 90 "deny to $NET.4"
check "to: a network" decides 91 "deny to $NET.0/30"
check "to: beyond a network" decides 90 "deny to $NET.4/30"
check "to: everything" decides 91 "deny to 0.0.0.0/0"
check "to: who is to call, in a BIND" decides 91 "deny to $NET.3" bind "$APP"
check "port" decides 91 "deny port $port"
check "port: another" decides 90 "deny port $((port - 1))"
check "port: a range" decides 91 "deny port $((port - 5))-$port"
check "port: beyond a range" decides 90 "deny port $((port - 5))-$((port - 1))"
check "port: that of the primary connection, in a BIND" decides 91 "deny port 21" bind "$NET.3:21"
check "port: any other, in a BIND" decides 90 "deny port 21" bind "$NET.3:20"
check "user" decides 90 "allow user fred;deny" user fred
check "user: another one" decides 91 "allow user fred;deny" user Fred
check "all words together" decides 90 "allow user fred port $port to $NET.3 from $NET.7 command connect;deny" from "$NET.7"
for word in "user joe" "port 1" "to $NET.4" "from $NET.8" "command bind"; do
  # shellcheck disable=SC2001 # it cannot say "to the next blank"
  rule=$(sed "s/${word% *} [^ ]*/$word/" <<<"allow user fred port $port to $NET.3 from $NET.7 command connect")
  check "all words together except $word" decides 91 "$rule;deny" from "$NET.7"
done
check "a name: 'to' matches its address" decides 91 "deny to $NET.3" connect "$APP" name "$name"
check "a name: allowed by its address" decides 90 "allow to $NET.3;deny" connect "$APP" name "$name"
check "a name, in a BIND" decides 91 "deny to $NET.3" bind "$APP" name "$name"
check "a name: 'to' ignores the address in the request" decides 90 "deny to 0.0.0.0/8" connect "$APP" name "$name"
check "comments, blank lines, tabs and CRLF" decides 91 $'# deny;;\tdeny  to\t'"$NET.3"$' # really\r;'

check "mistake: statement" mistaken '2: "alow": unknown statement' '# rules\nalow\n'
check "mistake: word" mistaken "1: \"tot\": expected 'command', 'from', 'to', 'port' or 'user'" 'deny tot 10.0.0.0/8'
check "mistake: command" mistaken "1: \"ping\": expected 'connect' or 'bind'" 'deny command ping'
check "mistake: address" mistaken '1: "10.0.0": expected an IPv4 address or a network such as 10.0.0.0/8' 'deny to 10.0.0\n'
check "mistake: prefix" mistaken '1: "10.0.0.0/33": expected an IPv4 address or a network such as 10.0.0.0/8' 'deny to 10.0.0.0/33'
check "mistake: bits beyond the prefix" mistaken '1: "10.0.0.1/8": the address has bits set beyond the prefix' 'deny from 10.0.0.1/8'
check "mistake: port" mistaken '1: "65536": expected a port from 0 to 65535 or a range such as 6000-6063' 'deny port 65536'
check "mistake: number" mistaken '3: "0": expected a number of seconds from 1 to 86400' 'default deny\n\nbind-timeout 0'
check "mistake: clients" mistaken '1: "many": expected a number of clients from 1 to 1000000' 'max-clients many'
check "mistake: missing word" mistaken '1: expected a userid at the end of the line' 'allow user # fred'
check "mistake: surplus word" mistaken '1: "all": unexpected word' 'default deny all'
check "mistake: word given twice" mistaken '1: "port": given twice' 'deny port 1 port 2'
check "mistake: default" mistaken "1: \"no\": expected 'allow' or 'deny'" 'default no'
check "mistake: ident" mistaken "1: \"on\": expected 'require' or 'off'" 'ident on'
check "mistake: unprintable bytes" mistaken '1: "\x1b[31m\xff": unknown statement' '\033[31m\377'
check "mistake: no file" no_file
check "--check-config accepts a good file" fine 'allow\nident off\nmax-clients 5\nrequest-timeout 86400\n'

check "SIGHUP: mistakes are reported, and the former rules stay" bad_reload
check "SIGHUP: the same without a file" vanished
configure "" >/dev/null
wire_checks rules live_on

echo "max-clients 3" >rules.conf
start_socks4d --config "$WORK/rules.conf" --threads 2
wire_checks rules max_clients

port=$(unused_port)
start socks4d env "${sanitizer_options[@]}" "$BUILD/socks4d" --listen "0.0.0.0:$port"
announced socks4d
export SOCKS=$NET.1:$port
wire_checks rules own_addresses
check "--config-if-any: the file may appear later, and must not vanish then" file_comes_and_goes
