#!/bin/bash
# SPDX-License-Identifier: MIT
# Every FTP client downloads, uploads and lists in active mode: one CONNECT, and a BIND for each data connection.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

in_active_mode() {
  ftp_does "$@"
  active_only "$3"
}

ftp_files
for ftpd in ftp vsftpd; do
  start_$ftpd "$WORK/root" || continue
  for socksd in socks4d danted; do
    start_$socksd || continue
    for client in $ftp_clients; do
      installed "$(program_of "$client")" || continue
      for verb in $(verbs_of "$client"); do
        check "$client $verb, $socksd, $ftpd" in_active_mode "$client" "$verb" "$ftpd"
      done
    done
  done
done
