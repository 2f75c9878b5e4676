# SPDX-License-Identifier: MIT
"""BIND byte by byte, as the specification describes it: tests/integration/socks4d/protocol.sh."""
import sys

from wire import (APP, BIND, CONNECT, LARGE, PEER, STRANGER, Client, Server, Stream, bound, call, equal, eventually,
                  main, refuses, request, stopped_server)


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


def bind_limit():
    "bind-timeout: no call: 91 and the end, and the port is closed"
    client, where = bound()
    client.refused()
    equal(refuses(where), True, "the port is closed")


main(sys.modules[__name__])
