# shellcheck shell=bash disable=SC2154 # what harness.sh has set
# SPDX-License-Identifier: MIT
# A small world for the tests of names: private namespaces with nothing but loopback. A DNS server logs each query and
# watches every packet, and only the SOCKS server can resolve the application servers' names:
#
#   web.inside.test app.inside.test ftp.inside.test   $NET.3, in the SOCKS server's /etc/hosts only
#   other.inside.test                                 $NET.4, likewise
#   hosts.test                                        $NET.3, in everybody's /etc/hosts
#
# A script sources this right after harness.sh. It then runs inside, or is skipped where namespaces are not allowed.
if [ -z "${INSIDE:-}" ]; then
  unshare -rnm --propagation private true 2>why || { echo "skip names: no namespaces: $(cat why)" && exit; }
  INSIDE=yes exec unshare -rnm --propagation private "$TOP/$SCRIPTS/$SCRIPT.sh"
fi

put() {
  printf '%s\n' "${@:2}" >"$1"
  mount --bind "$1" "/etc/$1"
}
build_world() {
  set -e
  ip link set lo up
  ip route add default dev lo
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /dev/shm
  put resolv.conf 'nameserver 127.0.0.53' 'options timeout:1 attempts:1'
  put nsswitch.conf 'passwd: files' 'group: files' 'hosts: files dns' 'services: files'
  put hosts '127.0.0.1 localhost' "$NET.3 hosts.test alias.test" "2001:db8::5 six.hosts.test"
}
(build_world) 2>why
status=$?
[ $status = 0 ] || { echo "not ok the namespaces are set up" && sed 's/^/    /' why && exit 1; }
{ cat hosts && echo "$NET.3 web.inside.test app.inside.test ftp.inside.test" && echo "$NET.4 other.inside.test"; } >hosts.server

start resolver "$python" -B "$TOP/tests/servers/resolver.py" 127.0.0.53 "$NET.5"
announced resolver

# The SOCKS servers start with a hosts file of their own, which has more names.
setpriv() {
  case " $* " in
    *socks4d* | *faulty_socks*) command setpriv --pdeathsig KILL unshare -m --propagation private \
      sh -c 'mount --bind hosts.server /etc/hosts && mount -t tmpfs tmpfs /run && exec "$@"' sh "${@:3}" ;;
    *) command setpriv "$@" ;;
  esac
}

# No name server was asked, in any way.
nobody_asked() { never_logged resolver '^(query|packet|nscd)'; }
asked() { logged resolver "^query $1"; }
# in_mode DNS COMMAND...: runs it with SOCKSIFY_DNS=DNS.
in_mode() { SOCKSIFY_DNS=$1 "${@:2}"; }
# named WHO ADDRESS: prints WHO's name, which only the SOCKS server can resolve, and the port of ADDRESS.
named() { echo "$1.inside.test:${2#*:}"; }
export SOCKSIFY_SESSION=$WORK/session
