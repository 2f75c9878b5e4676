#!/bin/bash
# SPDX-License-Identifier: MIT
# Readiness is reported correctly by every way of waiting: tests/programs/async/ready, compared with the kernel.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge ready
