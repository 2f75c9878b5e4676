#!/bin/bash
# SPDX-License-Identifier: MIT
# A SOCKS server of several processes (danted) may pass on "226 Transfer complete" before the call that came first. A
# client that then finds a message and no call gives up, as curl does.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/ftp.sh"

in_active_mode() {
  ftp_does "$1" "$2" ftp
  active_only ftp
}

ftp_files
start_ftp "$WORK/root"
start_faulty second-overtaken
for client in curl_eprt curl_port; do
  for verb in get ls; do check "$client $verb" in_active_mode "$client" "$verb"; done
done
