#!/bin/bash
# SPDX-License-Identifier: MIT
# $SOAK_CYCLES (200000) connections in each way of tests/programs/async/memory.
set -u
cycles=${SOAK_CYCLES:-200000}
CYCLES=$cycles LIMIT=$((300 + cycles / 20)) exec "${0%/*}/../run" async/memory
