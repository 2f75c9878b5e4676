# SPDX-License-Identifier: MIT
"""socks4d and the specification, byte by byte: tests/integration/socks4d/protocol.sh."""
import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import sys

from wire import (APP, BIND, CONNECT, LIMIT, NET, PEER, RESET, STRANGER, Client, DeafServer, Server, Stream, address, bound, call,
                  equal, eventually, main, refuses, request)

LARGE = bytes(range(256)) * 8192  # 2 MiB
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


def byte_by_byte():
    "requests that arrive byte by byte, also SOCKS4A"
    server = Server()
    for name in None, APP.encode():
        client = Client()
        for byte in request(CONNECT, server.address, b"fred", name):
            client.send(bytes([byte]))
        there = server.accept()
        equal(client.granted(), server.peer)
        client.send(b"up")
        there.expect(b"up")


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


@contextlib.contextmanager
def stopped_server():
    pid = int(os.environ["SOCKS4D"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


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


def bind():
    "BIND: the first reply means that it listens, the second one has the caller's address, then data flows both ways"
    client, where = bound()
    equal(where[0], PEER)
    caller = call(where)
    equal(client.granted(), caller.socket.getsockname())
    client.send(b"up")
    caller.expect(b"up").send(b"down")
    client.expect(b"down")


def bind_early():
    "BIND: data arrives that the client sends before the call, and the caller before the second reply"
    client, where = bound(early=b"with the request, ")
    client.send(b"then")
    caller = call(where).send(LARGE[:5000])
    client.granted()
    caller.expect(b"with the request, then")
    client.expect(LARGE[:5000])


def bind_half_closed():
    "BIND: a client that closes its half after the first reply receives the call and its data"
    client, where = bound()
    client.send(b"only this").end()
    caller = call(where)
    equal(caller.rest(), b"only this")
    caller.send(LARGE[:50_000]).end()
    client.granted()
    equal(client.rest(), LARGE[:50_000])


def bind_half_closed_early():
    "BIND: a client that closes its half after the request receives the call and its data"
    client = Client(request(BIND, (APP, 21)) + b"only this").end()
    caller = call(client.granted())
    equal(caller.rest(), b"only this")
    caller.send(b"answer").end()
    client.granted()
    equal(client.rest(), b"answer")


def bind_stranger():
    "BIND: a call from another host: 91, both connections closed, no data relayed, no other call accepted"
    client, where = bound(early=b"secret")
    stranger = call(where, STRANGER).send(b"forged")
    client.refused()
    stranger.expect_no_more()
    equal(refuses(where), True, "the port is closed")


def bind_once():
    "BIND: one call is accepted, further ones are refused"
    client, where = bound()
    first = call(where)
    client.granted()
    equal(refuses(where), True, "the port is closed")
    first.send(b"first").end()
    equal(client.rest(), b"first")


def bind_anybody():
    "BIND for 0.0.0.0 accepts a call from anybody, for a client on the server's own host"
    client, where = bound(("0.0.0.0", 21))
    caller = call(where, STRANGER)
    equal(client.granted(), caller.socket.getsockname())


def bind_before_what_is_said_after():
    "BIND: what the caller sends on another connection after the call arrives after the second reply"
    server = Server(backlog=64)
    for said in b"150", LARGE[:100_000]:
        with stopped_server():  # then all threads have clients to accept
            clients = [Client(request(command, server.address)) for _ in range(40) for command in (CONNECT, BIND)]
        controls, binders = clients[::2], clients[1::2]
        accepted = {peer: Stream(connection) for connection, peer in (server.listener.accept() for _ in controls)}
        ends = [(client, accepted[client.granted()]) for client in controls]
        wheres = [binder.granted() for binder in binders]
        for client, there in ends:
            eventually(lambda: there.send(b"?") and client.stamped(b"?"))  # until the kernel records the time
        with stopped_server():
            for _, there in ends:
                there.send(b"!")  # so that the server handles these connections first
            calls = []
            for where, (_, there) in zip(wheres, ends):
                calls.append(call(where))
                there.send(said)
        for binder, (client, _) in zip(binders, ends):
            client.expect(b"!")
            equal(binder.stamped(b"\0") < client.stamped(said[:1]), True, "the second reply is first")
            client.expect(said[1:])


def bind_name():
    "BIND by name (SOCKS4A) accepts a call from the name's address only"
    for source in APP, STRANGER:
        client = Client(request(BIND, (APP, 21), name=APP.encode()))
        caller = call(client.granted(), source)
        if source == STRANGER:
            client.refused()
        else:
            equal(client.granted(), caller.socket.getsockname())


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


def no_such_name():
    "an unknown name: 91 and the end"
    for command in CONNECT, BIND:
        Client(request(command, (APP, 21), name=b"-- no such name --")).refused()


def wrong():
    "other versions and commands, userids and names that are too long or empty: 91 at the first wrong byte"
    whole = request(CONNECT, (APP, 1))
    for data in (b"\x05", b"\x05\x01\x00", b"GET / HTTP/1.1\r\n\r\n", b"\x00" + whole[1:], b"\x04\x03", b"\x04\x00" + whole[2:],
                 whole[:8] + b"u" * 256, request(CONNECT, (APP, 1), b"u" * 256), request(CONNECT, (APP, 1), name=b""),
                 request(CONNECT, (APP, 1), name=b"n" * 256)[:-1], request(CONNECT, (APP, 1), b"u" * 255, b"n" * 300)):
        Client(data).refused()


def longest():
    "userid and name of 255 bytes are accepted, and data may follow"
    server = Server()
    Client(request(CONNECT, server.address, b"u" * 255) + b"early").granted()
    server.accept().expect(b"early")
    name = f"{APP.rpartition('.')[0]}.0x{'0' * 300}"[:255 - 1] + "3"
    Client(request(CONNECT, server.address, b"u" * 255, name.encode()) + b"early").granted()
    server.accept().expect(b"early")
    Client(request(CONNECT, (APP, 1), b"u" * 255, b"n" * 255)).refused()


def short():
    "the end of the stream inside the request: 91 and the end"
    whole = request(CONNECT, (APP, 1), name=b"name")
    for length in range(len(whole)):
        Client(whole[:length]).end().refused()


def much_said():
    "a client that sends more after a refusal still reads the reply"
    client = Client(b"\x05" + LARGE[:50_000])
    client.send(LARGE[:50_000])
    client.refused()


def request_limit():
    "request-timeout: silence, half a request, or a byte now and then: 91 and the end"
    whole = request(CONNECT, (APP, 1), b"u" * 255)
    for data in b"", whole[:1], whole[:-1]:
        Client(data).refused()
    client = Client(whole[:8])
    client.socket.settimeout(0.1)
    for _ in range(200):  # the userid has not ended by then
        client.send(b"u")
        try:
            client.socket.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            pass
    else:
        raise SystemExit("each byte extends the limit")
    client.socket.settimeout(LIMIT)
    client.refused()


def connect_limit():
    "connect-timeout: a destination that never answers: 91 and the end"
    deaf = DeafServer()
    Client(request(CONNECT, deaf.address) + b"early").refused()


def bind_limit():
    "bind-timeout: no call: 91 and the end, and the port is closed"
    client, where = bound()
    client.refused()
    equal(refuses(where), True, "the port is closed")


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


def own_socket():
    "the server never connects to its own listening socket"
    Client(request(CONNECT, address(os.environ["SOCKS"]))).refused()
    Client(request(CONNECT, ("0.0.0.0", address(os.environ["SOCKS"])[1]))).refused()
    Client(request(CONNECT, (APP, 1), name=os.environ["SOCKS"].split(":")[0].encode())).refused()


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


def reset_is_none(log):
    # before the first reply, or before the second one
    deaf = DeafServer()

    def reset_and_look(data, expected):
        client = Client(data)
        if data[:2] == b"\x04\x02":
            client.granted()
        client.reset()
        with open(log, encoding="ascii") as lines:
            return any(re.search(expected, line) for line in lines)
    for data, before in ((b"", r"client=\S+ "), (b"\x04", r"client=\S+ "), (request(CONNECT, deaf.address), "command=connect.* "), (request(BIND, (APP, 21)), "command=bind.* ")):
        equal(bool(eventually(lambda: reset_and_look(data, before + "result=none why="))), True, f"logged after {data}")


main(sys.modules[__name__])
