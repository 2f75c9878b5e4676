# SPDX-License-Identifier: MIT
"""CONNECT byte by byte, as the specification describes it, and the relay after it: tests/integration/socks4d/protocol.sh."""
import ctypes
import os
import socket
import struct
import sys

from wire import (APP, BIND, CONNECT, LARGE, PEER, RESET, Client, DeafServer, Server, bound, call, equal, eventually,
                  main, refuses, request, stopped_server)

PIDFD_GETFD = 438


def connect():
    "CONNECT: the reply has the address that the application server sees, then data flows both ways"
    client, there = Server().connect()
    client.send(b"up")
    there.expect(b"up").send(b"down")
    client.expect(b"down")


def connect_refused():
    "a refused CONNECT: 91 and the end"
    Client(request(CONNECT, (APP, 1))).refused()


def early_client():
    "data sent along with the request reaches the application server completely"
    for size in 1, 511, 600, 100_000:
        _, there = Server().connect(early=LARGE[:size])
        there.expect(LARGE[:size])


def early_server():
    "data that the application server sends at once comes after the reply"
    server = Server()
    client = Client(request(CONNECT, server.address))
    server.accept().send(LARGE[:1000]).end()
    client.granted()
    equal(client.rest(), LARGE[:1000])


def half_close_client():
    "a client that has closed its half still receives everything"
    client, there = Server().connect()
    client.send(LARGE[:50_000]).end()
    equal(there.rest(), LARGE[:50_000])
    there.send(LARGE[1:50_000]).end()
    equal(client.rest(), LARGE[1:50_000])


def half_close_server():
    "an application server that has closed its half still receives everything"
    client, there = Server().connect()
    there.send(b"done").end()
    equal(client.rest(), b"done")
    client.send(LARGE[:50_000]).end()
    equal(there.rest(), LARGE[:50_000])


def half_close_early():
    "a client that closes its half before the reply is still served"
    server = Server()
    client = Client(request(CONNECT, server.address) + b"question").end()
    there = server.accept()
    equal(there.rest(), b"question")
    there.send(b"answer").end()
    client.granted()
    equal(client.rest(), b"answer")


def reset_up():
    "a client's reset resets the application server's connection"
    client, there = Server().connect()
    client.reset()
    equal(there.rest(), RESET)


def reset_down():
    "an application server's reset resets the client's connection"
    client, there = Server().connect()
    there.reset()
    equal(client.rest(), RESET)


def calls(server):
    # SYN_SENT, to the server's port
    ip, port = server.address
    there = f"{struct.unpack('=I', socket.inet_aton(ip))[0]:08X}:{port:04X}"
    here = f"{struct.unpack('=I', socket.inet_aton(PEER))[0]:08X}:"
    with open("/proc/net/tcp", encoding="ascii") as lines:
        return any(line.split()[2:4] == [there, "02"] and line.split()[1].startswith(here) for line in lines)


def reset_at_once():
    "an application server that accepts and resets before the reply: 90, and a reset"
    server = DeafServer()
    client = Client(request(CONNECT, server.address))
    equal(eventually(lambda: calls(server)), True, "it calls")
    with stopped_server():
        server.reset_callers_until(PEER)
    client.granted()
    equal(client.rest(), RESET, "after the reply")


def urgent():
    "an urgent byte is relayed as urgent, in both directions, and keeps its place"
    client, there = Server().connect()
    there.socket.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    client.send(b"before")
    client.socket.send(b"!", socket.MSG_OOB)
    client.send(b"after")
    there.expect(b"before!after")
    there.socket.send(b"?", socket.MSG_OOB)
    client.socket.setblocking(False)

    def urgent_byte():
        try:
            return client.socket.recv(1, socket.MSG_OOB)
        except OSError:  # not yet
            return None
    equal(eventually(urgent_byte), b"?")


def looks_into_the_server():
    # copies of its sockets; this needs permission
    process = os.pidfd_open(int(os.environ["SOCKS4D"]))
    libc = ctypes.CDLL(None, use_errno=True)
    for number in os.listdir(f"/proc/{os.environ['SOCKS4D']}/fd"):
        copy = libc.syscall(PIDFD_GETFD, process, int(number), 0)
        if copy < 0:
            raise SystemExit("pidfd_getfd: " + os.strerror(ctypes.get_errno()))
        try:
            yield socket.socket(fileno=copy)
        except OSError:  # not a socket
            os.close(copy)


def small_writes():
    "both ends of CONNECT and BIND have TCP_NODELAY and SO_KEEPALIVE"
    client, there = Server().connect()
    binder, where = bound()
    caller = call(where)
    binder.granted()
    wanted = {stream.socket.getsockname() for stream in (client, there, binder, caller)}
    seen = {}
    for theirs in looks_into_the_server():
        try:
            seen[theirs.getpeername()] = (theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                                          theirs.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        except OSError:  # not connected
            pass
    equal({peer: seen.get(peer) for peer in wanted}, {peer: (1, 1) for peer in wanted})


def connect_name():
    "CONNECT by name (SOCKS4A): an address in any notation, and early data after the name"
    server = Server()
    a, b, c, d = (int(part) for part in APP.split("."))
    for name in APP, f"{a}.{b << 16 | c << 8 | d}", f"{a << 24 | b << 16 | c << 8 | d:#x}":
        client = Client(request(CONNECT, server.address, name=name.encode()) + b"early")
        there = server.accept().expect(b"early")
        client.granted()
        there.send(b"down")
        client.expect(b"down")


def connect_limit():
    "connect-timeout: a destination that never answers: 91 and the end"
    deaf = DeafServer()
    Client(request(CONNECT, deaf.address) + b"early").refused()


def others_meanwhile():
    "while clients wait for a destination that never answers, others are served"
    deaf = DeafServer()
    waiting = [Client(request(CONNECT, deaf.address)) for _ in range(3)]
    connect()
    for client in waiting:
        client.socket.setblocking(False)
        try:
            raise SystemExit(f"it did not wait: {client.socket.recv(8)}")
        except BlockingIOError:
            client.reset()


def resets():
    "a client may reset its connection at any stage"
    deaf = DeafServer()
    name = b"-- no such name --"
    for data in (b"", b"\x04", b"\x05", request(CONNECT, (APP, 1)), request(CONNECT, deaf.address), request(BIND, (APP, 21)),
                 request(CONNECT, (APP, 1), name=name), request(BIND, (APP, 21), name=name)):
        for _ in range(20):
            Client(data).reset()
    client, where = bound()
    client.reset()
    equal(eventually(lambda: refuses(where)), True, "the port of a client that has left is closed")
    connect()


main(sys.modules[__name__])
