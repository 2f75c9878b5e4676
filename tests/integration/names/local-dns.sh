#!/bin/bash
# SPDX-License-Identifier: MIT
# SOCKSIFY_DNS=auto: what this host's DNS servers say counts where they are in charge, and silent ones are not asked again
# and again.
. "${0%/*}/../../lib/harness.sh"
. "${0%/*}/../../lib/names.sh"

resolves() { through getent "${@:2}" "$1" >answer; }
gets_fake_ip() {
  resolves "$@"
  has answer '^198\.1[89]\.'
}
nonexistent() {
  local way
  for way in hosts ahosts ahostsv4; do
    ends_with 2 resolves "$1" "$way"
    is_empty answer
  done
}
without_dot() {
  nonexistent misspelt
  asked "misspelt.corp.test A"
}
in_search_list() {
  nonexistent misspelt.corp.test
  nonexistent misspelt.more.Corp.TEST.
}
elsewhere() {
  gets_fake_ip web.inside.test hosts
  gets_fake_ip misspelt.notcorp.test ahosts
}
# This host's own name and localhost need no server.
own_name() {
  resolves "$(hostname)" hosts
  resolves localhost hosts
}
by_python() {
  prints "gaierror" through "$python" -c '
import socket
try:
    print(socket.gethostbyname("misspelt"))
except OSError as error:
    print(type(error).__name__)'
}
# ssh asks for each domain, and takes the first that exists.
by_ssh() {
  through ssh -F none -o CanonicalizeHostname=always -o CanonicalDomains=corp.test -o CanonicalizeFallbackLocal=yes \
    -G misspelt >answer 2>&1 || true
  lacks answer 'hostname misspelt.corp.test'
}
# The other servers may refuse: that says nothing about the name.
refusing() { gets_fake_ip refused.test hosts; }

use_silent() {
  printf '%s\n' 'nameserver 127.0.0.54' 'options timeout:1 attempts:1' >resolv.conf
  SOCKSIFY_SESSION=$WORK/silent
}
once_a_session() {
  use_silent
  SOCKS_DEBUG=1 gets_fake_ip first.test ahosts 2>log
  has log 'the DNS servers of this host do not answer: for 10 minutes names are left to the SOCKS server'
  logged silent '^asked first.test'
  gets_fake_ip second.test ahosts
  gets_fake_ip third.test hosts
  gets_fake_ip nodot hosts
  never_logged silent '^asked (second|third|nodot)'
}
check_says_so() {
  use_silent
  limit env SOCKSIFY_LIBRARY="$BUILD/libsocksify.so" "$LAUNCHER" -s "${SOCKS#*//}" --check >findings
  has findings '^warn names    the DNS servers of this host do not answer: the first name costs up to 1 s'
  SOCKSIFY_DNS=remote limit env SOCKSIFY_LIBRARY="$BUILD/libsocksify.so" "$LAUNCHER" -s "${SOCKS#*//}" --check >findings
  lacks findings '^warn names'
}
direct_names_too() {
  use_silent
  NO_PROXY=direct.test ends_with 2 resolves direct.test ahosts
  logged silent '^asked direct.test'
}
# A name whose own servers are silent says nothing about the others.
one_silent_name() {
  SOCKSIFY_SESSION=$WORK/one
  gets_fake_ip silent.test ahosts
  resolves known.test ahosts
  has answer "^$NET.5"
}

start silent "$python" -B "$TOP/tests/servers/silent_dns.py" 127.0.0.54
announced silent
start_socks4d

echo 'search corp.test' >>resolv.conf
check "NXDOMAIN for a name without a dot" without_dot
check "... in a domain of the search list" in_search_list
check "... elsewhere" elsewhere
check "this host's own name" own_name
check "Python" by_python
check "ssh" by_ssh
check "a server that refuses" refusing
check "one name that gets no answer" one_silent_name
check "silent servers are asked once a session" once_a_session
check "... but always for direct names" direct_names_too
check "--check says that they are silent" check_says_so
