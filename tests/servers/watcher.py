# SPDX-License-Identifier: MIT
"""watcher.py INTERFACE IP:PORT: reports whether outgoing packets belong to connections with the SOCKS server.

    through                     the first packet of a connection with IP:PORT
    leak PROTOCOL FROM TO       any other packet, except those the kernel sends by itself (ARP, neighbours, groups)
    mark TEXT                   a datagram to port 9 of IP, after which all earlier packets have been reported
"""
import socket
import struct
import sys
import net

INTERFACE, SERVER = sys.argv[1:]
IP, PORT = SERVER.split(":")
ALL, IPV4, IPV6, ARP = 3, 0x0800, 0x86DD, 0x0806
NAMES = {1: "icmp", 6: "tcp", 17: "udp", 58: "icmp6"}
SYN, ACK = 2, 16


def ports(payload):
    return struct.unpack("!HH", payload[:4]) if len(payload) >= 4 else (0, 0)


def text(address, port):
    return f"{address}:{port}"


def look(kind, packet):
    """The line that reports a packet, or None."""
    if kind == ARP:
        return None
    if kind == IPV4:
        protocol, payload = packet[9], packet[(packet[0] & 15) * 4:]
        source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    elif kind == IPV6:
        protocol, payload = packet[6], packet[40:]
        source, target = (socket.inet_ntop(socket.AF_INET6, packet[i:i + 16]) for i in (8, 24))
        if protocol == 0 or (protocol == 58 and 130 <= payload[0] <= 143):  # groups, routers and neighbours
            return None
    else:
        return f"leak type {kind:#06x}"
    first, second = ports(payload)
    ends = text(source, first), text(target, second)
    if protocol == 6 and SERVER in ends:
        return "through" if payload[13] & (SYN | ACK) == SYN else None
    if protocol == 17 and ends[1] == f"{IP}:9":
        return "mark " + payload[8:].decode("latin-1").strip()
    return f"leak {NAMES.get(protocol, protocol)} {ends[0]} {ends[1]}"


with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ALL)) as wire:
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    wire.bind((INTERFACE, ALL))
    net.log("watching", INTERFACE)
    while True:
        packet, (_, kind, direction, _, _) = wire.recvfrom(65536)
        said = look(kind, packet) if direction == socket.PACKET_OUTGOING else None
        if said:
            net.log(said)
