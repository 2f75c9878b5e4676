# SPDX-License-Identifier: MIT
"""resolver.py IP APP_IP: a DNS server at port 53 that logs each query, and a watcher of all packets to name servers.

    known.test        A APP_IP                  both.test         A APP_IP, AAAA 2001:db8::1
    six.test          AAAA 2001:db8::1          empty.test        exists, without addresses
    refused.test      REFUSED                   failing.test      SERVFAIL
    silent.test       no answer at all          everything else   NXDOMAIN; PTR: ptr.test

If it may watch the network, it also logs "packet ..." for everything sent to port 53, 5353 or 5355 of any address, and
"nscd ..." for every host lookup in the name service cache.
"""
import os
import select
import socket
import struct
import sys
import net

HERE, APP = sys.argv[1:]
A, PTR, AAAA = 1, 12, 28
NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
V4, V6 = socket.inet_aton(APP), socket.inet_pton(socket.AF_INET6, "2001:db8::1")
ZONE = {"known.test": {A: V4}, "both.test": {A: V4, AAAA: V6}, "six.test": {AAAA: V6}, "empty.test": {}}
CODES = {"refused.test": REFUSED, "failing.test": SERVFAIL}
PORTS = (53, 5353, 5355)
NSCD_HOSTS = (4, 5, 6, 7, 14)  # GETHOSTBYNAME ... GETHOSTBYADDRv6, GETAI


def question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += packet[at] + 1
    return ".".join(labels), struct.unpack("!H", packet[at + 1:at + 3])[0], packet[12:at + 5]


def answer(packet):
    name, kind, asked = question(packet)
    net.log("query", name, {A: "A", AAAA: "AAAA", PTR: "PTR"}.get(kind, kind))
    name = name.lower()
    if name == "silent.test":
        return None
    records = ZONE.get(name, {})
    if name.endswith(".arpa"):
        records = {PTR: b"\3ptr\4test\0"}
    code = CODES.get(name, NOERROR if name in ZONE or records else NXDOMAIN)
    data = records.get(kind)
    head = packet[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, 1 if data else 0, 0, 0)
    return head + asked + (b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data if data else b"")


def serve_tcp(client):
    size = struct.unpack("!H", client.recv(2, socket.MSG_WAITALL))[0]
    reply = answer(client.recv(size, socket.MSG_WAITALL))
    if reply:
        client.sendall(struct.pack("!H", len(reply)) + reply)


def sniffed(frame):
    """A packet to a name server as text, or nothing for other packets."""
    packet = frame[14:]
    if frame[12:14] == b"\x86\xdd":
        protocol, to, rest = packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:]
    elif frame[12:14] == b"\x08\x00":
        protocol, to, rest = packet[9], socket.inet_ntoa(packet[16:20]), packet[(packet[0] & 15) * 4:]
    else:
        return ""
    if protocol not in (socket.IPPROTO_TCP, socket.IPPROTO_UDP) or struct.unpack("!H", rest[2:4])[0] not in PORTS:
        return ""
    return f"{'udp' if protocol == socket.IPPROTO_UDP else 'tcp'} to {to}"


def open_all():
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.bind((HERE, 53))
    tcp = socket.create_server((HERE, 53))
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    os.makedirs("/run/nscd", exist_ok=True)
    nscd = socket.socket(socket.AF_UNIX)
    nscd.bind("/run/nscd/socket")
    nscd.listen()
    return udp, tcp, packets, nscd


udp, tcp, packets, nscd = open_all()
net.log(f"resolver: listening on {HERE}:53")
while True:
    for ready in select.select([udp, tcp, packets, nscd], [], [])[0]:
        if ready is packets:
            if seen := sniffed(packets.recv(65536)):
                net.log("packet", seen)
        elif ready is udp:
            packet, sender = udp.recvfrom(4096)
            if reply := answer(packet):
                udp.sendto(reply, sender)
        elif ready is tcp:
            net.run(serve_tcp, tcp.accept()[0])
        else:
            with nscd.accept()[0] as client:
                request = client.recv(12)
                if len(request) == 12 and struct.unpack("iii", request)[1] in NSCD_HOSTS:
                    net.log("nscd", request)
