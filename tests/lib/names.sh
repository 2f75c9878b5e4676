# shellcheck shell=bash disable=SC2154 # what harness.sh has set
# SPDX-License-Identifier: MIT
# A world for the tests of names: namespaces of our own, in which nothing but loopback is there, a DNS server of ours logs
# each query and watches every packet, and only the SOCKS server knows the names of the application servers:
#
#   web.inside.test app.inside.test ftp.inside.test   $NET.3, in the SOCKS server's /etc/hosts alone
#   other.inside.test                                 $NET.4, in the same way
#   hosts.test                                        $NET.3, in everybody's
#
# A script sources this after harness.sh, before all else: it goes on inside, or says why it cannot.
if [ -z "${INSIDE:-}" ]; then
  unshare -rnm --propagation private true 2>why || { echo "skip names: no namespaces of our own: $(cat why)" && exit; }
  INSIDE=yes exec unshare -rnm --propagation private "$TOP/tests/integration/$SCRIPT.sh"
fi

put() { printf '%s\n' "${@:2}" >"$1" && mount --bind "$1" "/etc/$1"; }
build_world() {
  ip link set lo up && ip route add default dev lo && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /dev/shm &&
    put resolv.conf 'nameserver 127.0.0.53' 'options timeout:1 attempts:1' &&
    put nsswitch.conf 'passwd: files' 'group: files' 'hosts: files dns' 'services: files' &&
    put hosts '127.0.0.1 localhost' "$NET.3 hosts.test alias.test" "2001:db8::5 six.hosts.test"
}
build_world 2>why || { echo "not ok a world of our own" && sed 's/^/    /' why && exit 1; }
{ cat hosts && echo "$NET.3 web.inside.test app.inside.test ftp.inside.test" && echo "$NET.4 other.inside.test"; } >hosts.server

start resolver "$python" -B "$TOP/tests/servers/resolver.py" 127.0.0.53 "$NET.5"
announced resolver

# The SOCKS servers know more names.
setpriv() {
  case " $* " in
    *socks4d* | *faulty_socks*) command setpriv --pdeathsig KILL unshare -m --propagation private \
      sh -c 'mount --bind hosts.server /etc/hosts && mount -t tmpfs tmpfs /run && exec "$@"' sh "${@:3}" ;;
    *) command setpriv "$@" ;;
  esac
}

# Nothing has asked a name server, in whatever way.
nobody_asked() { never_logged resolver '^(query|packet|nscd)'; }
asked() { logged resolver "^query $1"; }
# in_mode DNS COMMAND...: with SOCKSIFY_DNS.
in_mode() { SOCKSIFY_DNS=$1 "${@:2}"; }
# named WHO ADDRESS: its name, which only the SOCKS server knows, and its port.
named() { echo "$1.inside.test:${2#*:}"; }
export SOCKSIFY_SESSION=$WORK/session
