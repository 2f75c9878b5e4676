# SPDX-License-Identifier: MIT
"""The rules of socks4d for several clients at the same time: tests/integration/socks4d/rules.sh."""
import os
import select
import socket
import sys

from wire import APP, BIND, CONNECT, NET, Client, Server, address, bound, call, configure, equal, eventually, main, request


def live_on():
    "SIGHUP: running sessions keep the rules that they began with"
    client, there = Server().connect()
    binder, where = bound()
    server = Server()
    whole = request(CONNECT, server.address)
    half = Client(whole[:5])
    configure("default deny")
    equal(eventually(lambda: Client(request(BIND, (APP, 21))).reply()[0] == 91), True, "new rules")
    client.send(b"up")
    there.expect(b"up").send(b"down")
    client.expect(b"down")
    caller = call(where).send(b"data")
    binder.granted()
    binder.expect(b"data")
    caller.end()
    half.send(whole[5:])
    half.granted()


def replied(clients):
    """How many have received a reply, or lost their connection."""
    return len(select.select([client.socket for client in clients], [], [], 0)[0])


def max_clients():
    "max-clients: further clients wait until one has left"
    server = Server(backlog=64)
    clients = [Client(request(CONNECT, server.address)) for _ in range(30)]
    for turn in range(10):
        relays = [server.accept() for _ in range(3)]
        # To the SOCKS server, a connection that is reset before it notices its success is refused.
        equal(eventually(lambda: replied(clients) >= 3 * (turn + 1)), True, "three more replies")
        server.saw_nobody()
        for relay in relays:
            relay.reset()
    for client in clients:
        client.granted()


def own_addresses():
    "a server that listens on all addresses never connects to itself at any of them"
    port = address(os.environ["SOCKS"])[1]
    for ip in "127.0.0.1", f"{NET}.1", f"{NET}.77", "127.255.255.254", "0.0.0.0", socket.gethostbyname(socket.gethostname()):
        Client(request(CONNECT, (ip, port))).refused()
        Client(request(CONNECT, (APP, port), name=ip.encode())).refused()
    server = Server()
    Client(request(CONNECT, server.address)).granted()


main(sys.modules[__name__])
