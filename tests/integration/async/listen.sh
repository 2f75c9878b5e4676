#!/bin/bash
# SPDX-License-Identifier: MIT
# Waiting for a call in every way, while the SOCKS server's second reply arrives byte by byte: tests/programs/async/listen,
# compared with the kernel.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge listen
