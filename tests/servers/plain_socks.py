# SPDX-License-Identifier: MIT
"""plain_socks.py IP: a SOCKS4 server to the letter of the specification, without SOCKS4A and BIND.
It connects to nobody, but claims that it has; it rejects requests for 0.0.0.x."""
import socket
import sys
import net


def handle(client):
    data = b""
    while len(data) < 9 or 0 not in data[8:]:
        more = client.recv(1)
        if not more:
            return
        data += more
    granted = data[1] == 1 and data[4:7] != bytes(3)
    net.log("granted" if granted else "rejected", data[1], socket.inet_ntoa(data[4:8]))
    client.sendall(bytes([0, 90 if granted else 91]) + bytes(6))
    while granted and client.recv(4096):
        pass


net.serve("plain_socks", sys.argv[1], handle)
