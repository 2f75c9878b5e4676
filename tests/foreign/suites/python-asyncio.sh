#!/bin/bash
# SPDX-License-Identifier: MIT
# CPython's tests of asyncio, those that connect.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/python_suite.sh"

compare_modes python test_asyncio.test_events test_asyncio.test_base_events test_asyncio.test_selector_events \
  test_asyncio.test_streams test_asyncio.test_server test_asyncio.test_sock_lowlevel test_asyncio.test_sendfile \
  test_asyncio.test_ssl test_asyncio.test_sslproto
