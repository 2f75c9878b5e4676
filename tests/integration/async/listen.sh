#!/bin/bash
# SPDX-License-Identifier: MIT
# Waiting for a call in every way, the SOCKS server's second reply coming byte by byte: tests/programs/async/listen, the
# kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge listen
