#!/bin/bash
# SPDX-License-Identifier: MIT
# Readiness is the truth in every way of waiting: tests/programs/async/ready, the kernel being the judge.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/judge.sh"

start_slow
judge ready
