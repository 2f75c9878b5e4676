# SPDX-License-Identifier: MIT
"""children.py REQUESTS REPLIES ANSWER: runs the scripts of this folder, each call in a child. That is cheaper than to start
Python for each (tests/lib/wire.sh).

A request is a number and so many words, each ended by a NUL: SOCKS, SOCKS4D, SCRIPT, CASE, ARGUMENT... What the child prints
is left in ANSWER; then REPLIES gets its exit status, on a line.
"""
import importlib
import os
import signal
import sys
import traceback

import wire


def words(stream):
    """Without end."""
    rest = b""
    while True:
        *whole, rest = (rest + os.read(stream, 4096)).split(b"\0")
        yield from (os.fsdecode(word) for word in whole)


def prepare(socks, server):
    signal.alarm(wire.LIMIT)
    out = os.open(answer, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    os.dup2(out, sys.stdout.fileno())
    os.dup2(out, sys.stderr.fileno())
    os.environ.update(SOCKS=socks, SOCKS4D=server)


def run(socks, server, script, *arguments):
    """In the child. That Python tidies up at its end would cost more than all the rest."""
    status = 1
    try:
        prepare(socks, server)
        wire.run(importlib.import_module(script), *arguments)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


requests, replies, answer = sys.argv[1:]
stream, out = os.open(requests, os.O_RDWR), os.open(replies, os.O_RDWR)
word = words(stream)
for count in word:
    request = [next(word) for _ in range(int(count))]
    importlib.import_module(request[2])  # once for all children
    child = os.fork()
    if child == 0:
        run(*request)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(out, b"%d\n" % (status if status >= 0 else 128 - status))
