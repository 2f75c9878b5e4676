#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what other languages call variables
# What every resolving call returns, for every kind of name, in every mode: tests/programs/names/names.c.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/names.sh"

# facts_of NAME ADDRESS CANONICAL [REVERSE]: all calls agree on these.
facts_of() {
  prints "gethostbyname: $3 $2
gethostbyname2: $3 $2
gethostbyname_r: $3 $2
gethostbyname2_r: $3 $2
IPv6: No address associated with name
gethostbyaddr: ${4:-$3} $2
gethostbyaddr_r: ${4:-$3} $2
getnameinfo: ${4:-$3} http
in figures: $2" client names facts "$1"
}
unknown_to_all() {
  prints "gethostbyname: $2
gethostbyname2: $2
gethostbyname_r: $2
gethostbyname2_r: $2
IPv6: $2" client names facts "$1"
}
families_of() {
  client names family "$1" >actual
  same actual - <<<"$2"
}
stand_in_for() {
  families_of "$1" "stream: a stand-in
IPv4: a stand-in
IPv6: NODATA
IPv6, mapped: a mapped stand-in
IPv6, all: a mapped stand-in
canonical: a stand-in:80/1 (web.inside.test)
no hints: a stand-in:443/1 a stand-in:443/2 a stand-in:443/3
passive: a stand-in:21/1
service: SERVICE
service in figures: NONAME
figures only: NONAME
bad flags: BADFLAGS"
}
in_remote_mode() {
  in_mode remote "$@"
  nobody_asked
}
# Numeric addresses: no name server is asked, and no fake IP is used.
figures() {
  families_of "$1" "stream: 192.0.2.1
IPv4: 192.0.2.1
IPv6: ADDRFAMILY
IPv6, mapped: ::ffff:192.0.2.1
IPv6, all: NONAME
canonical: 192.0.2.1:80/1 ($1)
no hints: 192.0.2.1:443/1 192.0.2.1:443/2 192.0.2.1:443/3
passive: 192.0.2.1:21/1
service: SERVICE
service in figures: NONAME
figures only: 192.0.2.1
bad flags: BADFLAGS"
}
not_stood_in() {
  client names family "$1" >actual
  fails grep -a 'stand-in' actual
  has actual "^stream: $2"
}
family_is() {
  client names family "$1" >actual
  has actual "^$2: (errno 101 )?$3$"
}
both_families() {
  family_is both.test stream "$NET.5"
  family_is both.test IPv6 2001:db8::1
}
long_name() {
  local name
  name=$(printf 'abcdefghi.%.0s' {1..25})
  stand_in_with 255 "${name}abcde"
  not_stood_in "${name}abcdef" NONAME
}
stand_in_with() {
  [ ${#2} = "$1" ]
  client names family "$2" >actual
  has actual '^stream: a stand-in'
}

connects_by_stand_in() { # STAND-IN [-6]
  prints "connect: ok
peer: $1
its name: app.inside.test
the same address: yes" client names connect app.inside.test "${APP#*:}" ${2:+"$2"}
  logged faulty "^connect app.inside.test:"
}
unknown_stand_in() {
  prints EHOSTUNREACH through "$python" -c 'import errno, socket
try: socket.create_connection(("198.18.77.77", 80))
except OSError as error: print(errno.errorcode[error.errno])'
  never_logged faulty .
}
direct_whatever_no_proxy_says() { no_proxy=198.18.0.0/15 unknown_stand_in; }
taken_away() { # the file of names is gone between the two
  prints "peer 198.1" through "$python" -c 'import os, socket, sys
host, port = sys.argv[1:]
address = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
os.unlink(os.environ["SOCKSIFY_SESSION"])
one = socket.create_connection(address)
print("peer", one.getpeername()[0][:5])' app.inside.test "${APP#*:}"
}

stands_in() {
  client names family "$1" >actual
  has actual '^IPv4: a stand-in$'
}
nobody_after_mistake() {
  SOCKSIFY_TIMEOUT=never client names connect known.test 80 >actual 2>errors
  same actual - <<<"connect: EACCES"
  has errors 'SOCKSIFY_TIMEOUT=never'
  nobody_asked
}
resolved_here() {
  no_proxy='*' not_stood_in known.test "$NET.5"
  asked "known.test A"
}

# One program resolves, another connects; upper case and a final dot make no difference.
two_programs() {
  through sh -c 'address=$(getent hosts "$1" | cut -d " " -f 1) && again=$(getent ahostsv4 "$2" | head -n 1 | cut -d " " -f 1) &&
    [ "$address" = "$again" ] && printf "echo one\nend\n" | env -i LD_PRELOAD="$LD_PRELOAD" SOCKS_SERVER="$SOCKSIFY_SERVER" \
      SOCKSIFY_SESSION="$SOCKSIFY_SESSION" ${ASAN_OPTIONS:+"ASAN_OPTIONS=$ASAN_OPTIONS"} \
      nc -N "$address" "$3"' sh app.inside.test APP.Inside.test. "${APP#*:}" >got
  has got '^one$'
  logged faulty '^connect app.inside.test:'
}
back_again() { prints "$1" through sh -c 'getent hosts $(getent hosts "$1" | cut -d " " -f 1) | tr -s " " | cut -d " " -f 2' sh "$1"; }
# Twenty programs at once resolve the same hundred names, each in another order.
agree() {
  local number jobs=()
  rm -f session many.*
  for number in {1..20}; do
    client names many "$number" 100 >"many.$number" &
    jobs+=($!)
  done
  wait "${jobs[@]}"
  cat many.* | sort -u >all
  [ "$(wc -l <all)" = 100 ]
  [ "$(cut -d ' ' -f 2 all | sort -u | wc -l)" = 100 ]
  [ "$(cut -d ' ' -f 2 all | grep -c '^198\.1[89]\.')" = 100 ]
}
# The default file belongs to the user, in the best directory available.
in_usual_place() {
  unset SOCKSIFY_SESSION
  two_programs
  [ "$(stat -c %a "$1")" = 600 ]
}
# Without a file, a program still resolves for itself and its children.
no_file() {
  SOCKSIFY_SESSION=/proc/nowhere connects_by_stand_in "a stand-in"
  SOCKSIFY_SESSION=/proc/nowhere prints "198.19.
EHOSTUNREACH" through sh -c '
      "$0" -c "import errno, socket
address = socket.gethostbyname(\"app.inside.test\")
print(address)" >address
      cut -b -7 address
      "$0" -c "import errno, socket
try: socket.create_connection((open(\"address\").read().strip(), 1))
except OSError as error: print(errno.errorcode[error.errno])"' "$python"
}
spoilt_file() {
  head -c 100000 /dev/urandom >session
  chmod 600 session
  cp session before
  connects_by_stand_in "a stand-in"
  same session before
  SOCKS_DEBUG=1 connects_by_stand_in "a stand-in" 2>log
  has log 'the file for fake IPs has other contents, and is left alone'
  : >session
  connects_by_stand_in "a stand-in"
}

# Datagrams: which may leave, and what is logged.
udp_is() {
  prints "sendto: $2
sendmsg: $2
sendmmsg: $2
connect: $2
sendmmsg, here and there: $3" client names udp "$1" "${4:-9}"
}
query_is() {
  client names query known.test >actual
  has actual "^res_query: $1$"
  [ "$(grep -c ": $1$" actual)" = 8 ]
}
denied() {
  SOCKSIFY_LEAK=deny "$@"
  nobody_asked
}
warned() {
  SOCKSIFY_LEAK=warn "$@" 2>errors
  [ "$(cat errors)" = "socksify: names sends datagrams that bypass the SOCKS server" ] || { cat errors && false; }
}
allowed_queries() {
  query_is ok
  asked "known.test A"
}
by_c_ares() {
  SOCKSIFY_LEAK=deny prints failed through node -e 'require("dns").resolve4("known.test", (error) => console.log(error ? "failed" : "resolved"))'
  nobody_asked
}

start_app
start_faulty by-userid
SOCKS=socks4a://$SOCKS # remote

check "a name that the SOCKS server resolves" in_remote_mode facts_of web.inside.test "a stand-in" web.inside.test
check "by family and flags" in_remote_mode stand_in_for web.inside.test
check "upper case, with a final dot" in_remote_mode facts_of WEB.inside.TEST. "a stand-in" web.inside.test
check "/etc/hosts" in_remote_mode facts_of alias.test "$NET.3" hosts.test
check "/etc/hosts, IPv6" in_remote_mode not_stood_in six.hosts.test 2001:db8::5
check "localhost" in_remote_mode facts_of localhost 127.0.0.1 localhost
check "below localhost" in_remote_mode not_stood_in printer.localhost 127.0.0.1
check "this host" in_remote_mode not_stood_in "$(uname -n)" 127.0.0.1
check "numeric addresses" in_remote_mode figures 192.0.2.1
check "numeric addresses, IPv6" in_remote_mode not_stood_in ::1 ::1
check "numeric addresses, old forms" in_remote_mode not_stood_in 127.1 127.0.0.1
for name in 'a b' a..b 1.2.3.256 1.2.3.4.5 a:b ''; do
  check "no name: '$name'" in_remote_mode not_stood_in "$name" NONAME
  check "no name for gethostbyname(): '$name'" in_remote_mode unknown_to_all "$name" "Unknown host"
done
check "names of 255 bytes and of more" in_remote_mode long_name
check "buffers" in_remote_mode prints "too small: some, good: some, wrong: 0
service only: 80" client names buffers web.inside.test
check "an address without a name" in_remote_mode prints "192.0.2.9 gaierror" through "$python" -c 'import socket
print(socket.getnameinfo(("192.0.2.9", 80), 0)[0], end=" ")
try: socket.getnameinfo(("192.0.2.9", 80), socket.NI_NAMEREQD)
except socket.gaierror: print("gaierror")'
check "an address without a name, gethostbyaddr()" in_remote_mode prints herror through "$python" -c 'import socket
try: socket.gethostbyaddr("192.0.2.9")
except socket.herror: print("herror")'

check "getaddrinfo_a" in_remote_mode prints "wait: 0 0 0 a stand-in 
signal: 0 0 0 a stand-in signalled" client names asynchronous web.inside.test

check "connect, getpeername, getnameinfo" in_remote_mode connects_by_stand_in "a stand-in"
check "the same in IPv6 form" in_remote_mode connects_by_stand_in "a mapped stand-in" -6
check "an unknown fake IP" unknown_stand_in
check "and never directly" direct_whatever_no_proxy_says
check "one program resolves, another connects" in_remote_mode two_programs
check "one program resolves, another resolves the fake IP" in_remote_mode back_again web.inside.test
check "twenty programs agree on a hundred names" in_remote_mode agree
check "the default file is in memory" in_usual_place /dev/shm/socksify-0-names
mkdir -p /run/user/0
check "the user's own directory by default" in_usual_place /run/user/0/socksify-names
check "the file is gone" in_remote_mode taken_away
check "no file" in_remote_mode no_file
check "a file with other contents" in_remote_mode spoilt_file

check "auto: the local answer wins" in_mode auto facts_of known.test "$NET.5" known.test ptr.test
check "auto: no IPv6 if there is IPv4" in_mode auto both_families
check "auto: IPv6 if there is nothing else" in_mode auto family_is six.test stream 2001:db8::1
check "auto: a name unknown here" in_mode auto facts_of web.inside.test "a stand-in" web.inside.test
check "auto: the name server was asked for it" in_mode auto client names connect app.inside.test "${APP#*:}"
for name in refused failing silent empty; do
  check "auto: a $name server" in_mode auto stands_in $name.test
done
check "auto: /etc/hosts" in_mode auto not_stood_in hosts.test "$NET.3"
check "auto: connect" in_mode auto connects_by_stand_in "a stand-in"
check "local: no fake IPs" in_mode local not_stood_in web.inside.test NONAME
check "a mistake: no name server is asked" nobody_after_mistake
check "no_proxy '*': resolved here" resolved_here

check "UDP: allowed" udp_is 192.0.2.1 ok 2
check "UDP: denied" denied udp_is 192.0.2.1 EACCES 1
check "UDP: denied, here" denied udp_is 127.0.0.1 ok 2
check "UDP: denied, to a DNS server here" denied udp_is 127.0.0.53 EACCES 1 53
check "UDP: warning" warned udp_is 192.0.2.1 ok 2
check "UDP to a fake IP" udp_is 198.18.0.1 EHOSTUNREACH 1
check "res_query: allowed" allowed_queries
check "res_query: denied" denied query_is EACCES
check "res_query: warning" warned query_is ok
! installed node || check "c-ares: denied" by_c_ares
