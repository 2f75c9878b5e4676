#!/bin/bash
# SPDX-License-Identifier: MIT
# Every kind of epoll registration: tests/programs/async/epoll, compared with the kernel.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

first_look() { CONTROL=$SLOW client first_look; }

start_slow
judge epoll
check "epoll: the first wait finds what has arrived" first_look
