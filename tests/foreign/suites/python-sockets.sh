#!/bin/bash
# SPDX-License-Identifier: MIT
# CPython's tests of its modules for sockets and waiting.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/python_suite.sh"

compare_modes python test_socket test_select test_selectors test_poll test_epoll test_socketserver test_asyncore test_asynchat
