#!/bin/bash
# SPDX-License-Identifier: MIT
# "The remaining fields are ignored": a SOCKS server may leave DSTPORT and DSTIP zero in its reply to a CONNECT and in the
# second reply to a BIND; in the first one, DSTIP may be zero and is to be replaced with the SOCKS server's own. Every FTP
# client works in active mode all the same, and so it does with addresses that are not local ones.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

# The address in PORT is what the shim can know: the one of the first BIND reply or of the SOCKS server.
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

# The clients that tell the server the address of the control connection tell it this server's address then: the same one
# as that of its BIND sockets.
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
