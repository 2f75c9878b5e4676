# SPDX-License-Identifier: MIT
"""postgres.py IP: just enough of a PostgreSQL server to answer one query, with the address of the peer."""
import struct
import sys
import net


def message(kind, body):
    return kind + struct.pack("!i", 4 + len(body)) + body


def ready():
    return message(b"Z", b"I")


def handle(client):
    net.log("peer", net.text(client.getpeername()))
    stream = client.makefile("rb")
    while True:
        size, code = struct.unpack("!ii", stream.read(8))
        stream.read(size - 8)
        if code == 196608:  # version 3.0; everything else requests encryption
            break
        client.sendall(b"N")
    client.sendall(message(b"R", struct.pack("!i", 0)) + ready())
    while True:
        kind = stream.read(1)
        if kind in (b"", b"X"):
            return
        stream.read(struct.unpack("!i", stream.read(4))[0] - 4)
        words = client.getpeername()[0].encode()
        columns = message(b"T", struct.pack("!h", 1) + b"peer\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0))
        row = message(b"D", struct.pack("!hi", 1, len(words)) + words)
        client.sendall(columns + row + message(b"C", b"SELECT 1\0") + ready())


net.serve("postgres", sys.argv[1], handle)
