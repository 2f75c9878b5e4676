#!/bin/bash
# SPDX-License-Identifier: MIT
# 32-bit programs on a 64-bit system, with 64-bit time, which has functions of its own.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

BUILD=$BUILD/i386
[ -r "$BUILD/libsocksify.so" ] || { skip "word size" "built only along with x86-64 without a sanitizer" && exit; }
runs_32_bits "word size" || exit 0
through() { limit env LD_PRELOAD="$BUILD/libsocksify.so" SOCKS_SERVER="$SOCKS" SOCKSIFY_LOOPBACK=proxy "$@"; }

start_slow
# shellcheck disable=SC2046 # names without blanks
judge ready $("$BUILD/programs/ready" list | grep -E '[.](granted|refused)$')
judge time
judge listen select.after_listen poll.after_listen
judge processes threads
