#!/bin/bash
# SPDX-License-Identifier: MIT
# Ordinary programs reach their server through a SOCKS server, and the server sees only that.
. "${0%/*}/../../lib/harness.sh"

by_curl() {
  through curl -sS -o got "http://$WEB/page"
  same got page
  saw_only_peer web
}
by_wget() {
  through wget -q -O got "http://$WEB/page"
  same got page
  saw_only_peer web
}

# says TEXT COMMAND...: TEXT follows the greeting of the application server, which names its peer.
says() {
  local text=$1
  shift
  "$@" >got || { echo "exit status $?" && cat got && false; }
  has got "^app $PEER:"
  prints "$text" tail -n +2 got
  saw_only_peer app
}
by_nc() {
  printf 'echo one two\necho three\n' | says $'one two\nthree' through nc -N "$@" "${APP%:*}" "${APP#*:}"
}
by_nc_much() {
  (echo count && cat page) | says "count 300000" through nc -N "${APP%:*}" "${APP#*:}"
}

# telnet exits when its input ends, so that stays open; its status says only that the server closed the connection.
by_telnet() {
  mkfifo typed
  exec 3<>typed
  printf 'echo one two\nend\n' >&3
  through telnet "${APP%:*}" "${APP#*:}" <typed >got || true
  rm typed
  has got '^one two'
  saw_only_peer app
}

# ssh -W makes sshd connect, without a shell: the user may not have one.
by_ssh() {
  printf 'GET /page HTTP/1.0\r\n\r\n' | through ssh -F none -i key -p "${SSH#*:}" -o BatchMode=yes -o LogLevel=ERROR \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -W "$WEB" "${SSH%:*}" >got
  tail -c "$(stat -c %s page)" got | same - page
  saw_only_peer sshd
}
start_sshd() {
  local port pam=yes # without root, only PAM can tell whether the account is locked
  port=$(unused_port)
  ssh-keygen -q -t ed25519 -N '' -f key
  cp key.pub authorized
  [ "$(id -u)" != 0 ] || { pam=no && mkdir -p /run/sshd; }
  printf '%s\n' "ListenAddress $NET.3:$port" "HostKey $WORK/key" "AuthorizedKeysFile $WORK/authorized" \
    "PidFile none" "StrictModes no" "UsePAM $pam" "LogLevel VERBOSE" >sshd.conf
  start sshd /usr/sbin/sshd -D -e -f "$WORK/sshd.conf"
  answers sshd "$NET.3:$port"
  SSH=$ADDRESS
}

mkdir site
head -c 300000 /dev/urandom | tee page >site/page
start_app
start_web "$WORK/site"
start_sshd
for socksd in socks4d danted; do
  start_$socksd || continue
  for program in curl wget nc telnet ssh; do
    ! installed $program || check "$program, $socksd" "by_$program"
  done
  check "nc with a chosen source address, $socksd" by_nc -s 127.0.0.1
  check "nc sends much, then the end, $socksd" by_nc_much
done
