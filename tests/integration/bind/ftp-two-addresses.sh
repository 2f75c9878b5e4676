#!/bin/bash
# SPDX-License-Identifier: MIT
# A SOCKS server with an address on either side, which replies to a CONNECT without one. FTP clients that announce the
# address of their control connection have to announce the outer one, where the BIND waits.
. "${0%/*}/../../lib/harness.sh"
in_namespaces
. "$TOP/tests/lib/ftp.sh"

in_active_mode() {
  ftp_does "$1" get ftp
  active_only ftp
}
every_client() {
  local client
  for client in $ftp_clients; do
    ! installed "$(program_of "$client")" || check "$client, $1" in_active_mode "$client"
  done
}
# Asked once for each control connection, and nothing is left of it.
asks_once() {
  in_active_mode python
  equal "$(since faulty | grep -c "^bind $FTP")" 2
}
# A server without BIND disturbs nobody.
passive() {
  through curl -sS -o got "ftp://$FTP/get.bin"
  same got root/get.bin
}
by_hand() {
  start_ftp "$WORK/root"
  SOCKSIFY_ADDRESS=$PEER check "curl, another port" in_active_mode curl_eprt
  SOCKSIFY_ADDRESS=$PEER check "wget, another port" in_active_mode wget
  SOCKSIFY_ADDRESS=$PEER check "Python, another port" in_active_mode python
}

ftp_files
start_ftp "$WORK/root" 21
start_faulty connect-zeros
every_client "the address is learned"
check "it is asked for once" asks_once
start_faulty connect-zeros+bind-refuse-91
check "a server without BIND" passive
start_faulty connect-zeros
by_hand
