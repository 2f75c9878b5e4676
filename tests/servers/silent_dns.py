# SPDX-License-Identifier: MIT
"""silent_dns.py IP: a DNS server that logs each query and never answers."""
import socket
import sys

from net import log

listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind((sys.argv[1], 53))
log("dns: listening on %s:%d" % listener.getsockname())
while True:
    question = listener.recv(512)
    name, rest = [], question[12:]
    while rest[0]:
        name.append(rest[1:rest[0] + 1].decode("latin-1"))
        rest = rest[rest[0] + 1:]
    log("asked", ".".join(name))
