#!/bin/bash
# SPDX-License-Identifier: MIT
# CPython's tests of TLS.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/python_suite.sh"

compare_modes python test_ssl
