#!/bin/bash
# SPDX-License-Identifier: MIT
# Time limits, signals, and what waiting costs: tests/programs/async_time.c, the kernel being the judge where it can.
. "${0%/*}/../common.sh"
. "$TOP/tests/judge.sh"

expires() {
  CONTROL=$SLOW SOCKSIFY_TIMEOUT=1 prints "expired: ready
SO_ERROR: ETIMEDOUT
SO_ERROR: 0
gone
connect: ECONNABORTED
connect: EINPROGRESS
poll: OUT
SO_ERROR: 0
peer: the destination
echo: ok" client async_time "$1.expires"
}
expires_in_connect() {
  CONTROL=$SLOW SOCKSIFY_TIMEOUT=1 prints "connect: ETIMEDOUT
gone
connect: ok
SO_ERROR: 0
peer: the destination
echo: ok" client async_time connect.expires
}

start_slow
judge async_time
for way in poll select epoll epoll-pwait2; do check "time: SOCKSIFY_TIMEOUT in $way" expires $way; done
check "time: SOCKSIFY_TIMEOUT in connect" expires_in_connect
