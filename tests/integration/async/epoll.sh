#!/bin/bash
# SPDX-License-Identifier: MIT
# Every kind of epoll registration: tests/programs/async/epoll.c, the kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

first_look() { prints "granted: 1 OUT" slowly epoll first-look; }

start_slow
judge epoll
check "epoll: the first look finds what has come" first_look
