#!/bin/bash
# SPDX-License-Identifier: MIT
# Calls made by syscall(2): tests/programs/async/raw_calls, the kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge raw_calls
