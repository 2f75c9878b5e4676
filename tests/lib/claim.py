# SPDX-License-Identifier: MIT
"""claim.py: prints a number from 1 to 250 that is unique in this network namespace, and holds it until it is killed. An
abstract socket belongs to the namespace, as loopback addresses do, and the kernel removes it with its process.
"""
import signal
import socket

for number in range(1, 251):
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0socksify-test-{number}")
    except OSError:
        continue
    print(number, flush=True)
    signal.pause()
