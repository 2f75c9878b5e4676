#!/bin/bash
# SPDX-License-Identifier: MIT
# FTP in passive mode: two CONNECTs. lftp binds its data socket to the local address of the control connection,
# which is one of the SOCKS server: a CONNECT from a source address that this host does not have.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

in_passive_mode() {
  MODE=$1 ftp_does "$2" "$3" ftp
  logged ftp "^command (PASV|EPSV)"
  never_logged ftp "^command (PORT|EPRT)"
}
every_client() {
  local verb
  for verb in get put ls; do
    check "lftp $verb, $1" in_passive_mode on lftp $verb
    check "curl $verb, $1" in_passive_mode passive curl_eprt $verb
    check "tnftp $verb, $1" in_passive_mode -p tnftp_eprt $verb
    check "ncftp $verb, $1" in_passive_mode -F ncftp $verb
    check "python $verb, $1" in_passive_mode passive python $verb
  done
}

ftp_files
start_ftp "$WORK/root"
for socksd in socks4d danted; do
  ! start_$socksd || every_client $socksd
done
start_faulty connect-away
every_client "address that is not local"
check "no BIND was asked for" never_logged faulty "^bind"
