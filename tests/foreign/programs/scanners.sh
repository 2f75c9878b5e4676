#!/bin/bash
# SPDX-License-Identifier: MIT
# nmap and ncat: many connections at once, chosen source ports.
. "${0%/*}/../../lib/harness.sh"

# One port is open, port 9 is not. nmap has gone before the server can ask who it was, so socks4d's log tells.
scans() {
  local open=${APP#*:}
  through nmap --unprivileged -Pn -n -sT -oG got -p "9,$((open - 1)),$open" "${APP%:*}"
  has got "9/closed/"
  has got "$open/open/"
  logged socks4d "command=connect destination=$APP .*result=granted"
}
finds_service() {
  through nmap --unprivileged -Pn -n -sT -sV --version-light -oN got -p "${WEB#*:}" "${WEB%:*}"
  has got 'open +http +SimpleHTTPServer'
  saw_only_peer web
}
from_port() {
  through ncat -p "$1" --wait 9s "${APP%:*}" "${APP#*:}" >got < <(printf 'echo one\nend\n')
  has got "^app $PEER:"
  has got '^one$'
  saw_only_peer app
}
# The port is free again at once.
from_same_port() {
  from_port "$1"
  from_port "$1"
}

mkdir site
start_socks4d --log -
start_app
start_web "$WORK/site"
if installed nmap; then
  check "nmap -sT" scans
  check "nmap -sV" finds_service
fi
if installed ncat; then
  check "ncat -p" from_port "$(unused_port)"
  check "ncat -p, twice" from_same_port "$(unused_port)"
fi
