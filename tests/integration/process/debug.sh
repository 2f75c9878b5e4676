#!/bin/bash
# SPDX-License-Identifier: MIT
# SOCKS_DEBUG=1: one line for each connection: program, destination, route, reason and result.
. "${0%/*}/../../lib/harness.sh"

mkdir site && seq 3000 >site/page
start_web "$WORK/site"
start_ftp "$WORK/site"
# shellcheck disable=SC2119
start_socks4d
web=${WEB//./\\.} socks=${SOCKS//./\\.} peer=${PEER//./\\.}
export SOCKS_DEBUG=1 SOCKS_LOGOUTPUT=$WORK/said

# says PROGRAM LINE... -- COMMAND...: exactly these lines (patterns) are logged, in this order, however the command ends.
says() {
  local program=$1 patterns=() i
  shift
  while [ "$1" != -- ]; do
    patterns+=("^socksify: $program\[[0-9]+\]: $1\$")
    shift
  done
  rm -f said
  "${@:2}" >got 2>&1 || true
  touch said
  mapfile -t lines <said
  for ((i = 0; i < ${#lines[@]} || i < ${#patterns[@]}; i++)); do
    [[ "${lines[i]:-}" =~ ${patterns[i]:-^$} ]] || { echo "not: ${patterns[i]:-}" && cat said got && false; }
  done
}

# A link that another user may have put into a folder where everybody may create files.
link_in_sticky_folder() {
  mkdir -p sticky own
  chmod 1777 sticky
  for folder in sticky own; do
    echo mine >target
    ln -sf "$WORK/target" $folder/log
    SOCKS_LOGOUTPUT=$WORK/$folder/log through curl -sS "http://$WEB/page" >got 2>errors
    same got site/page
    if [ $folder = sticky ]; then equal "$(cat target)" mine; else has target granted; fi
  done
}

granted="CONNECT $web through $socks: granted after [0-9]+ ms, seen as $peer:[0-9]+"
curl_page=(through curl -sS "http://$WEB/page")
check "curl" says curl "$granted" -- "${curl_page[@]}"
asyncio="
import asyncio
async def fetch():
    reader, writer = await asyncio.open_connection('${WEB%:*}', ${WEB#*:})
    writer.write(b'GET /page HTTP/1.0\r\n\r\n')
    assert await reader.read()
asyncio.run(fetch())"
check "python, asyncio" says python3 "$granted" -- through "$python" -c "$asyncio"
check "a name" says curl "CONNECT nobody\.example:80 through $socks: ECONNREFUSED after [0-9]+ ms: .*reply 91\)" \
  -- through curl -sS http://nobody.example/
no_proxy_says() { NO_PROXY="10.0.0.0/8,$NET.0/24" says curl "$web direct, NO_PROXY has $NET.0/24: .* after [0-9]+ ms" -- "${curl_page[@]}"; }
check "NO_PROXY, and which entry" no_proxy_says
dead_entry_says() {
  NO_PROXY="$NET.0/99" says curl "NO_PROXY: '$NET.0/99' matches nothing: it is not ADDRESS/BITS" "$granted" -- through curl -sS "http://$WEB/page"
}
check "NO_PROXY that matches nothing" dead_entry_says
loopback_says() { SOCKSIFY_LOOPBACK=direct says curl "$web direct, this host: .* after [0-9]+ ms" -- "${curl_page[@]}"; }
check "this host" loopback_says
check "not TCP" says python3 "$web direct, not TCP: connected after [0-9]+ ms" \
  -- through "$python" -c "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('${WEB%:*}', ${WEB#*:}))"
check "IPv6" says curl '\[2001:db8::1\]:80 unreachable: ENETUNREACH: SOCKS4 has no IPv6' -- through curl -sS "http://[2001:db8::1]/"
refused="CONNECT ${web%:*}:1 through $socks: ECONNREFUSED after [0-9]+ ms: the SOCKS server rejected it, or cannot reach the destination \(reply 91\)"
check "a refusal" says curl "$refused" -- through curl -sS "http://${WEB%:*}:1/"
check "a refusal of a non-blocking socket" says python3 "$refused" \
  -- through "$python" -c "${asyncio/${WEB#*:}/1}"
dead() { SOCKS=$NET.7:1 says curl "CONNECT $web through $NET.7:1: ECONNREFUSED after [0-9]+ ms: the SOCKS server cannot be reached" -- "${curl_page[@]}"; }
check "no such server" dead
preloaded() { limit env "LD_PRELOAD=${runtime:+$runtime:}$BUILD/libsocksify.so" "${others_options[@]}" SOCKSIFY_LOOPBACK=proxy "$@"; }
check "a server without an address" says curl "CONNECT $web through no-such-host\.invalid:1080: EHOSTUNREACH after [0-9]+ ms: the SOCKS server's name cannot be resolved" \
  -- preloaded SOCKS_SERVER=no-such-host.invalid curl -sS "http://$WEB/page"
mistaken() {
  rm -f said
  preloaded SOCKS_SERVER="$SOCKS" SOCKSIFY_BIND=on curl -sS "http://$WEB/page" || true
  has said "^socksify: curl\[[0-9]+\]: $web denied: EACCES: SOCKSIFY_BIND: not auto, any or off$"
}
check "a malformed variable" mistaken

# The control connection, then the call from the server.
control="CONNECT ${FTP//./\\.} through $socks: granted after [0-9]+ ms, seen as $peer:[0-9]+"
awaited="BIND for a call from ${FTP//./\\.} through $socks: granted after [0-9]+ ms, listening at $peer:[0-9]+"
called="BIND: ${FTP%:*}:[0-9]+ called at $peer:[0-9]+: fd [0-9]+"
check "FTP, active, curl" says curl "$control" "$awaited" "$called" -- through curl -sS -P - "ftp://$FTP/page"

levels() {
  local level
  for level in 0 1 2 3; do
    rm -f said
    SOCKS_DEBUG=$level "${curl_page[@]}" >got
    touch said
    echo "$level $(wc -l <said)"
  done
}
check "each level says more" prints "0 0
1 1
2 2
3 3" levels
check "a link in a sticky folder is not followed" link_in_sticky_folder
start_faulty by-userid
fails_with() {
  local USERID=$1
  says curl "CONNECT $web through ${SOCKS//./\\.}: $2" -- "${curl_page[@]}"
}
after="after [0-9]+ ms"
check "reply 92" fails_with connect-refuse-92 "EACCES $after: .*ident service did not answer the SOCKS server, or named another user \(replies 92, 93\)"
check "no reply" fails_with connect-close "ECONNRESET $after: the SOCKS server ended the connection without a reply"
check "no SOCKS server" fails_with connect-garbage "EPROTO $after: the server does not speak SOCKS4"
silence() { SOCKSIFY_TIMEOUT=1 fails_with connect-silence "ETIMEDOUT after [1-9][0-9]{3,} ms: no reply within SOCKSIFY_TIMEOUT"; }
check "silence" silence
check "a server that does not report its address" fails_with connect-zeros "granted $after"
start_app
uncalled() { # by a client that looks at nothing but the listening socket
  local USERID=second-$1
  local -x DESTINATION=$APP ADVERTISED=$peer
  says bind 'CONNECT .*' 'BIND .*' "BIND for a call from ${APP//./\\.}: ECONNABORTED: $2 at $peer:[0-9]+" -- client bind call_aborted
}
check "nobody calls" uncalled refuse-91 "nobody called in time, or another host did \(SOCKSIFY_BIND=any allows that\),"
check "a BIND that the server ends" uncalled close "the SOCKS server ended the connection before a call"
