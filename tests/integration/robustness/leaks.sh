#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what other languages call variables
# A machine (a network namespace with one cable) that could reach everything directly: real programs work through the SOCKS
# server, and no other packet is on the cable, DNS included.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

in_namespaces
export SOCKSIFY_DNS=remote SOCKSIFY_SESSION=$WORK/session
NET=198.51.100 PEER=198.51.100.2 CLIENT=10.77.0.2
put() {
  printf '%s\n' "${@:3}" >"$1"
  mount --bind "$1" "$2"
}
for host in 1 2 3 53; do ip addr add "$NET.$host/32" dev lo; done
ip addr add 2001:db8::3/128 dev lo
put hosts.server /etc/hosts "127.0.0.1 localhost" "$NET.3 web.inside.test" || exit

# The other end of the cable.
start machine unshare --net --mount sleep 1000
MACHINE=${servers[-1]}
there=(nsenter --target "$MACHINE" --net --mount --)
is_elsewhere() { [ "$(readlink "/proc/$MACHINE/ns/$1")" != "$(readlink "/proc/self/ns/$1")" ]; }
await is_elsewhere net && await is_elsewhere mnt
printf '%s\n' "127.0.0.1 localhost" >hosts && printf '%s\n' "nameserver $NET.53" "options timeout:1 attempts:1" >resolv.conf &&
  echo "hosts: files dns" >nsswitch.conf
ip link add cable type veth peer name cable netns "$MACHINE" && ip addr add 10.77.0.1/24 dev cable &&
  ip addr add 2001:db8:1::1/64 dev cable nodad && ip link set cable up &&
  "${there[@]}" sh -c "cd '$WORK' && ip link set lo up && ip addr add $CLIENT/24 dev cable &&
    ip addr add 2001:db8:1::2/64 dev cable nodad && ip link set cable up && ip route add default via 10.77.0.1 &&
    ip route add default via 2001:db8:1::1 && mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf &&
    mount --bind nsswitch.conf /etc/nsswitch.conf" || exit

# This launcher runs programs there.
printf '%s\n' '#!/bin/sh' "exec ${there[*]} sh -c 'cd \"$WORK\" && exec \"\$@\"' sh '$BUILD/socksify' \"\$@\"" >there && chmod +x there
LAUNCHER=$WORK/there
directly() { limit "${there[@]}" "$@"; }

marks=0
seen() { has_logged watcher "^mark $1\$"; }
# Waits until the watcher has seen all packets so far.
looked() {
  marks=$BASHPID.$RANDOM
  directly bash -c "echo $marks >/dev/udp/$NET.1/9"
  await seen "$marks" || { echo "the watcher does not see" && false; }
}
no_leak() {
  "$@"
  looked
  never_logged watcher '^leak'
  logged watcher '^through'
}
no_leak_whatever() {
  "$@" || true
  looked
  never_logged watcher '^leak'
}
leaks() {
  directly "$@" || true
  looked
  logged watcher '^leak'
}

get() {
  through "$@" >got
  same got site/page
}
get_nc() {
  printf 'GET /page HTTP/1.0\r\n\r\n' | through nc -N "${WEB%:*}" "${WEB#*:}" | sed '1,/^\r$/d' >got
  same got site/page
}
python_get='import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())'
perl_get='use IO::Socket::INET; my $one = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or die "$@ $!";
print $one "GET /page HTTP/1.0\r\n\r\n"; local $/; print((split /\r\n\r\n/, <$one>, 2)[1])'
node_get='require("http").get(process.argv[1], (reply) => reply.pipe(process.stdout))'
get_git() {
  rm -rf clone
  through git clone -q "http://$WEB/repository.git" clone
  same clone/page site/page
}
# No SSH server answers; it is enough that the connection is made.
try_ssh() {
  through ssh -o BatchMode=yes -o ConnectTimeout=5 -p "${APP#*:}" "${APP%:*}" true || true
  logged app '^peer'
}

ftp_get() {
  rm -f got
  "$1" get
  same got site/get.bin
}
# No log contains what a program sends or receives. The userid appears at debug level 2 and above only.
says_nothing() {
  rm -f client.said
  SOCKS_DEBUG=$1 SOCKS_LOGOUTPUT=$WORK/client.said USERID=secret-user get curl -sS -H "Secret: secret-header" "http://$WEB/page?secret-query"
  has client.said CONNECT\|connected
  lacks client.said "${2}secret-(header|query)"
  never_logged socks4d 'secret-(header|query)'
}

cat >Get.java <<'END'
class Get {
  public static void main(String[] words) throws Exception {
    new java.net.URL(words[0]).openStream().transferTo(System.out);
  }
}
END
mkdir site && seq 3000 >site/page && cp site/page site/get.bin && mkdir site/in && echo sent >sent
if installed git; then
  git init -q work && cp site/page work && git -C work add page &&
    git -C work -c user.name=me -c user.email=me@example.org commit -qm page && git clone -q --bare work site/repository.git &&
    git -C site/repository.git update-server-info
fi
start_app
start_web "$WORK/site"
start_ftp "$WORK/site"
start_socks4d --log -
start watcher "${there[@]}" "$python" -B "$TOP/tests/servers/watcher.py" cable "$SOCKS"
await grep -q watching watcher.log || failed_to_start watcher
web_port=${WEB#*:}

check "the watcher sees a direct connection" leaks curl -sS -m 2 "http://$WEB/page"
check "the watcher sees a query" leaks getent hosts nobody.example
for WEB in "$WEB" "web.inside.test:$web_port"; do
  how=$([ "${WEB%:*}" = "$NET.3" ] && echo "by address" || echo "by name")
  check "curl, $how" no_leak get curl -sS "http://$WEB/page"
  ! installed wget || check "wget, $how" no_leak get wget -q -O - "http://$WEB/page"
  ! installed nc || check "nc, $how" no_leak get_nc
  check "python, $how" no_leak get "$python" -c "$python_get" "http://$WEB/page"
  ! installed perl || check "perl, $how" no_leak get perl -e "$perl_get" "$WEB"
  ! installed node || check "node, $how" no_leak get node -e "$node_get" "http://$WEB/page"
  ! installed git || check "git, $how" no_leak get_git
done
! installed java || LIMIT=180 check "java" no_leak get java -Xshare:auto Get.java "http://$WEB/page"
! installed ssh || check "ssh" no_leak try_ssh
for name in $ftp_clients; do
  check "FTP, active, $name" no_leak ftp_get "by_$name"
done
check "FTP, passive, curl" no_leak get curl -sS "ftp://$FTP/page"
check "an unknown name" no_leak_whatever through curl -sS -m 30 "http://nobody.example/"
check "IPv6" no_leak_whatever through curl -sS -m 30 "http://[2001:db8::3]:$web_port/page"
check "a server that refuses" no_leak_whatever through curl -sS -m 30 "http://$NET.3:1/"
check "nothing private in the log" says_nothing 1 'secret-user|'
check "nothing private in the debugging log except the userid" says_nothing 2 ''
check "nothing private in the log of everything" says_nothing 3 ''
