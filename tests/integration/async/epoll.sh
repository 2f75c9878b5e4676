#!/bin/bash
# SPDX-License-Identifier: MIT
# Every kind of epoll registration: tests/programs/async/epoll, the kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

first_look() { CONTROL=$SLOW client first_look; }

start_slow
judge epoll
check "epoll: the first look finds what has come" first_look
