#!/bin/bash
# SPDX-License-Identifier: MIT
# CPython's tests of its clients and servers for protocols, which talk to each other.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/python_suite.sh"

compare_modes python test_ftplib test_httplib test_smtplib test_poplib test_imaplib test_nntplib test_telnetlib \
  test_httpservers test_xmlrpc test_urllib2_localnet
