#!/bin/bash
# SPDX-License-Identifier: MIT
# Names (SOCKS4A) as this host resolves them, with a hosts file and a DNS server that never answers, in private mount and
# network namespaces.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/wire.sh"

in_namespaces
cat >hosts <<END
127.0.0.1 localhost
$NET.3 app.test
$NET.4 dead-first.test
$NET.3 dead-first.test
$NET.3 dead-last.test
$NET.4 dead-last.test
$NET.4 dead.test
$NET.5 dead.test
$NET.9 two.test
$NET.3 two.test
$NET.6 deaf-first.test
$NET.3 deaf-first.test
$NET.3 deaf-last.test
$NET.6 deaf-last.test
0.0.0.0 any.test
END
echo "hosts: files dns" >nsswitch.conf
echo "nameserver $NET.7" >resolv.conf
for file in hosts nsswitch.conf resolv.conf; do mount --bind $file "/etc/$file" || exit; done

through_curl() {
  prints "hello" limit curl -sS --noproxy '' --proxy "socks4a://$SOCKS" "http://app.test:${WEB#*:}/hello"
  saw_only_peer web
}

start_wire
start dns "$python" -B "$TOP/tests/servers/silent_dns.py" "$NET.7"
announced dns
: >rules.conf
start_socks4d --threads 1 --config "$WORK/rules.conf" --log "$WORK/sessions"
wire_checks names unreachable by_name all_addresses none_answers any_address call_by_name only_allowed_addresses silent_dns no_more_answer
! allowed 1500 || wire_checks names too_many_lookups
mkdir web && echo hello >web/hello && start_web web
! installed curl || check "curl, by name" through_curl
configure "connect-timeout 2" "bind-timeout 2" >/dev/null
wire_checks names shares_of_time silent_dns_limit
