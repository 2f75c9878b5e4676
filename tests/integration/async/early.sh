#!/bin/bash
# SPDX-License-Identifier: MIT
# Calls on a socket whose connection is not established yet: tests/programs/async/early, compared with the kernel.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge early
