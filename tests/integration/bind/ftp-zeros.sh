#!/bin/bash
# SPDX-License-Identifier: MIT
# "The remaining fields are ignored": a SOCKS server may leave DSTPORT and DSTIP zero in its reply to a CONNECT and in the
# second reply to a BIND. In the first reply DSTIP may be zero, which means the SOCKS server's address. Every FTP client
# still works in active mode, also with addresses that this host does not have.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

# PORT carries the address of the first BIND reply, or else that of the SOCKS server.
in_active_mode() {
  ftp_does "$1" "$2" ftp
  logged ftp "^command (PORT|EPRT)"
  never_logged ftp "^command (PASV|EPSV)"
  logged faulty "^bind $FTP"
}
every_client() {
  local client verb
  for client in $ftp_clients; do
    installed "$(program_of "$client")" || continue
    for verb in $(verbs_of "$client"); do
      check "$client $verb, $1" in_active_mode "$client" "$verb"
    done
  done
}

# Clients that announce the address of their control connection now announce the SOCKS server's, where its BIND sockets
# are.
PEER=$NET.1
ftp_files
start_ftp "$WORK/root"
start_faulty connect-zeros+second-zeros
every_client zeros
start_faulty connect-zeros+bind-noaddress+second-zeros
every_client "no address"
FTP=203.0.113.3:${FTP#*:} # the other end of its data connections, too
start_faulty connect-away+bind-away+second-away
every_client "address that is not local"
