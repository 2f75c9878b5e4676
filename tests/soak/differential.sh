#!/bin/bash
# SPDX-License-Identifier: MIT
# Many random sequences of socket calls: $SOAK_SEEDS of them (20000) from seed $SOAK_FIRST (1000), for at most
# $SOAK_SECONDS (3600).
set -u
seconds=${SOAK_SECONDS:-3600}
SEEDS="${SOAK_FIRST:-1000} ${SOAK_SEEDS:-20000}" SEED_SECONDS=$seconds LIMIT=$((seconds + 900)) \
  exec "${0%/*}/../run" robustness/differential
