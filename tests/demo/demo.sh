#!/bin/bash
# SPDX-License-Identifier: MIT
# `make demo`: FTP in active mode, where the server calls the client back, through a SOCKS4 server. All programs are real;
# four loopback addresses play four hosts.
here=$(cd "$(dirname "$0")" && pwd) || exit
BUILD=$(realpath "${BUILD:-$here/../../build}") NET=127.$((251 + $$ % 4)).$(($$ / 4 % 256)) # no test uses it
WORK=$(mktemp -d "${TMPDIR:-/tmp}/socksify-demo.XXXXXX") || exit
chmod 755 "$WORK"
unset "${!SOCKS@}" LD_PRELOAD NO_PROXY no_proxy ALL_PROXY all_proxy
umask 022
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin" XDG_CONFIG_HOME=$WORK SOCKSIFY_CONFIG=$WORK/none # no settings file
# shellcheck source=tests/lib/harness.sh
. "$here/../lib/harness.sh"
# shellcheck source=tests/lib/ftp.sh
. "$here/../lib/ftp.sh"

client=
finish() {
  trap - EXIT
  [ -z "$client" ] || kill -- "-$client" 2>/dev/null
  kill "${servers[@]}" 2>/dev/null
  wait
  rm -rf "$WORK"
}
trap finish EXIT

say() { printf '\n== %s\n' "$*"; }
indented() { sed 's/^/   /' "$@"; }

failures=0
verify() {
  local claim=$1
  shift
  if "$@" >complaint 2>&1; then
    echo "ok      $claim"
  else
    echo "FAILED  $claim" && indented complaint
    failures=$((failures + 1))
  fi
}

calls() { since ftp | grep -c "^peer $PEER:.* data"; }

ftp_files
# shellcheck disable=SC2119 # no options
start_socks4d
start_ftp "$WORK/root"
mark

say "The SOCKS4 server: clients reach it at $NET.1; to the rest of the world it is $PEER"
echo "\$ socks4d --listen $NET.1:0 --bind-address $PEER"
indented socks4d.log
say "An FTP server, pyftpdlib, at $FTP"
say "An ordinary FTP client, which knows nothing of SOCKS, in active mode"
cat >commands <<END
user anonymous me@example.org
binary
ls
get get.bin got
put sent in/up
quit
END
echo "\$ SOCKSIFY_LOOPBACK=proxy build/socksify -s $SOCKS inetutils-ftp -Advn ${FTP/:/ } <<END"
cat commands
echo END

# In a process group, so that finish() ends all of it, and in the background, so that traps run meanwhile.
set -m
through inetutils-ftp -Advn "${FTP%:*}" "${FTP#*:}" <commands >transcript 2>&1 &
client=$!
set +m
wait "$client"
status=$?
client=

sed "s/^---> PORT ${PEER//./,},.*/&   <-- the SOCKS server's address, not ours/" transcript | indented
say "What the FTP server saw"
echo "\$ grep -E 'peer|PORT|LIST|RETR|STOR' ftp.log"
since ftp | grep -E 'peer|PORT|LIST|RETR|STOR' | indented

say "Checks"
verify "the client succeeds" test "$status" = 0
verify "the listing shows get.bin" grep -q '^-.* get\.bin$' transcript
verify "the download is the server's file, $(wc -c <root/get.bin) bytes" cmp root/get.bin got
verify "the upload is our file, $(wc -c <sent) bytes" cmp sent root/in/up
verify "the client asked the server to call $PEER, and never used passive mode" active_only ftp
verify "the server called three times" test "$(calls)" = 3
verify "the FTP server saw only $PEER, the SOCKS server" saw_only_peer ftp
echo
if [ $failures = 0 ]; then
  echo "demo: everything works: active FTP through SOCKS4, byte by byte"
else
  echo "demo: $failures checks FAILED" && exit 1
fi
