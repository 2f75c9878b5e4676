#!/bin/bash
# SPDX-License-Identifier: MIT
# What is done to a socket before its connection is there: tests/programs/async/early, the kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge early
