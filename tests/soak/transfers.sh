#!/bin/bash
# SPDX-License-Identifier: MIT
# $SOAK_TRANSFERS (10000) of every kind, while the SOCKS server is restarted, within $SOAK_SECONDS (3600).
set -u
seconds=${SOAK_SECONDS:-3600}
TRANSFERS=${SOAK_TRANSFERS:-10000} SOAK_LIMIT=$seconds LIMIT=$((seconds + 300)) exec "${0%/*}/../run" robustness/soak
