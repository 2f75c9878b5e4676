#!/bin/bash
# SPDX-License-Identifier: MIT
# Waiting for a call in every way, the SOCKS server's second reply coming byte by byte: tests/programs/async_listen.c, the
# kernel being the judge.
. "${0%/*}/../common.sh"
. "$TOP/tests/judge.sh"

start_slow
# Known to differ: the listening socket of a BIND is writable (everything); a dup of it that was made before accept() stays
# the connection (earlier-dup); a child's accept() takes O_NONBLOCK off the parent's (child-accepts).
# shellcheck disable=SC2046 # names without blanks
judge async_listen $("$BUILD/programs/async_listen" list | grep -vxE 'everything|earlier-dup|child-accepts')
