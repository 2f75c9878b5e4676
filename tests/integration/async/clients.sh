#!/bin/bash
# SPDX-License-Identifier: MIT
# Real programs that connect without blocking, many at once, or with a time limit, through socks4d.
. "${0%/*}/../../lib/harness.sh"

# fetches TEXT COMMAND...: it compares the bytes and prints TEXT; the web server has seen only the SOCKS server.
fetches() {
  prints "$1" through "${@:2}"
  saw_only_peer web
}

by_python() { fetches "same: 20" "$python" -B "$TOP/tests/programs/async/http.py" "$1" "${WEB%:*}" "${WEB#*:}"; }
by_node() { fetches "same: 20" node "$TOP/tests/programs/async/http.js" "http://$WEB/page"; }
by_java() {
  LIMIT=180 fetches $'NIO: 10\nURL: true' java -Xshare:auto -XX:TieredStopAtLevel=1 "$TOP/tests/programs/async/AsyncHttp.java" \
    "${WEB%:*}" "${WEB#*:}"
}
by_curl() {
  local number
  through curl -sS --no-progress-meter --parallel --parallel-immediate --parallel-max 20 --connect-timeout 9 \
    -o 'got.#1' "http://$WEB/page?[1-20]"
  for number in {1..20}; do same "got.$number" page; done
  saw_only_peer web
}
by_perl() {
  # shellcheck disable=SC2016 # perl's variables
  fetches "peer: ${WEB%:*}" perl -e 'use IO::Socket::INET;
    my $one = IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 9) or die "$@ $!";
    print $one "GET /page HTTP/1.0\r\n\r\n";
    local $/;
    print "peer: ", $one->peerhost, "\n";
    open my $file, ">", "got";
    print $file (split /\r\n\r\n/, <$one>, 2)[1]' "$WEB"
  same got page
}
by_ruby() {
  fetches "peer: ${WEB%:*}" ruby -e 'require "net/http"; require "socket"
    puts "peer: " + Socket.tcp(ARGV[0], ARGV[1].to_i, connect_timeout: 60) { |one| one.remote_address.ip_address }
    http = Net::HTTP.new(ARGV[0], ARGV[1].to_i, nil)
    http.open_timeout = 60
    File.binwrite("got", http.get("/page").body)' "${WEB%:*}" "${WEB#*:}"
  same got page
}

# shellcheck disable=SC2094 # the page is only read
by_redis() {
  through redis-cli -h "${REDIS%:*}" -p "${REDIS#*:}" -x set stored <page >/dev/null
  through redis-cli -h "${REDIS%:*}" -p "${REDIS#*:}" --raw get stored | head -c -1 | same - page
  through redis-cli -h "${REDIS%:*}" -p "${REDIS#*:}" client list >got
  has got " addr=$PEER:"
}
start_redis() {
  local port
  installed redis-cli && installed redis-server || return
  port=$(unused_port)
  start redis redis-server --bind "$NET.3" --port "$port" --protected-mode no --save '' --appendonly no --dir "$WORK"
  answers redis "$NET.3:$port"
  REDIS=$ADDRESS
}

by_ncat() {
  through ncat --wait 9s "${APP%:*}" "${APP#*:}" >got < <(echo echo one two && echo count && cat page)
  has got "^app $PEER:"
  has got '^one two$'
  has got '^count 300000$'
}
by_psql() { prints "$PEER" through psql -w -X -A -t -h "${PG%:*}" -p "${PG#*:}" -U someone -d some -c 'select 1'; }

by_git() {
  rm -rf clone
  through git clone -q "git://$GIT/site" clone
  same clone/page page
  logged git "Connection from $PEER:"
}
start_git() {
  local port
  installed git || return
  git -c init.defaultBranch=main init -q site && git -C site add page &&
    git -C site -c user.name=someone -c user.email=someone@example.org commit -q -m page || return
  port=$(unused_port)
  start git git daemon --verbose --listen="$NET.3" --port="$port" --base-path="$WORK" --export-all
  answers git "$NET.3:$port"
  GIT=$ADDRESS
}

# ssh -L: the far end connects. -R: this end does, without blocking. Unix sockets need no free port.
secure() {
  through ssh -F none -i key -p "${SSH#*:}" -o BatchMode=yes -o LogLevel=ERROR -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=known -o ConnectTimeout=9 -o ExitOnForwardFailure=yes "$@" "${SSH%:*}"
}
by_ssh_w() {
  printf 'GET /page HTTP/1.0\r\n\r\n' | secure -W "$WEB" >got
  tail -c "$(stat -c %s page)" got | same - page
  saw_only_peer sshd
}
by_ssh_tunnel() {
  local status=0 seen=$2
  rm -f tunnel
  LIMIT=120 secure -M -S control -N "$1" "$WORK/tunnel:$WEB" &
  await test -S tunnel && curl -sS --unix-socket tunnel -Z -o 'got.#1' "http://web/page?[1-3]" || status=1
  ssh -F none -S control -O exit "${SSH%:*}"
  wait $! || true
  [ $status = 0 ]
  same got.1 page
  same got.2 page
  same got.3 page
  saw_only_peer sshd
  $seen
}
start_sshd() {
  local port pam=yes # without root, only PAM can tell whether the account is locked
  installed ssh || return
  port=$(unused_port)
  ssh-keygen -q -t ed25519 -N '' -f key
  cp key.pub authorized
  [ "$(id -u)" != 0 ] || { pam=no && mkdir -p /run/sshd; }
  printf '%s\n' "ListenAddress $NET.3:$port" "HostKey $WORK/key" "AuthorizedKeysFile $WORK/authorized" \
    "PidFile none" "StrictModes no" "UsePAM $pam" "LogLevel VERBOSE" >sshd.conf
  start sshd /usr/sbin/sshd -D -e -f "$WORK/sshd.conf"
  answers sshd "$NET.3:$port"
  logged sshd "Connection from" # by the line before this one
  SSH=$ADDRESS
}

mkdir site
head -c 300000 /dev/urandom | tee page >site/page
# shellcheck disable=SC2119 # no options
start_socks4d
start_app
start_web "$WORK/site"
for way in asyncio selectors; do
  for selector in select poll epoll; do check "python, $way, $selector" by_python $way.$selector; done
done
! installed node || check "node, 20 at once" by_node
! installed curl || check "curl --parallel" by_curl
if [ -n "$runtime" ]; then
  skip java "a sanitizer does not go with it"
elif installed java; then
  check "java, Selector and URLConnection" by_java
fi
check "perl, IO::Socket::INET with a limit" by_perl
! installed ruby || check "ruby, Net::HTTP with a limit" by_ruby
! start_redis || check "redis-cli" by_redis
! installed ncat || check "ncat" by_ncat
if installed psql; then
  start postgres "$python" -B "$TOP/tests/servers/postgres.py" "$NET.3"
  announced postgres
  PG=$ADDRESS
  check "psql" by_psql
fi
! start_git || check "git clone" by_git
if start_sshd; then
  check "ssh -W" by_ssh_w
  check "ssh -L" by_ssh_tunnel -L true
  check "ssh -R" by_ssh_tunnel -R "saw_only_peer web"
fi
