# SPDX-License-Identifier: MIT
"""socks4d and an identd at $NET.8, which this script plays: tests/integration/socks4d/ident.sh."""
import os
import re
import socket
import sys

from wire import CONNECT, LIMIT, NET, NO_IDENTD, BIND, Client, DeafServer, Server, Stream, equal, eventually, main, request

HERE, PORT = f"{NET}.8", int(os.environ["IDENT_PORT"])


def begin(command=CONNECT):
    """A request that waits for identd: the client, the application server, the connection to identd, its answer."""
    server = Server()
    with socket.create_server((HERE, PORT)) as listener:
        listener.settimeout(LIMIT)
        client = Client(request(command, server.address), HERE)
        identd = Stream(listener.accept()[0])
    question = identd.socket.makefile("rb").readline()
    ports = b"%d , %d" % (client.socket.getsockname()[1], client.socket.getpeername()[1])
    equal(question, ports + b"\r\n", "question")
    return client, server, identd, ports + b" : USERID : UNIX : fred\r\n"


def logged(log, pattern):
    def look():
        with open(log, encoding="ascii") as lines:
            return any(re.search(pattern, line) for line in lines)
    equal(bool(eventually(look)), True, f"a line such as {pattern}")


def in_pieces():
    "a reply that arrives octet by octet"
    client, server, identd, answer = begin()
    for octet in answer:
        identd.send(bytes([octet]))
    server.accept()
    client.granted()


def half_closed():
    "a client that has closed its half is still served"
    client, server, identd, answer = begin()
    client.send(b"early").end()
    identd.send(answer)
    there = server.accept()
    client.granted()
    equal(there.rest(), b"early")


def client_left(log):
    "if the client leaves, the query of identd ends and no connection is made"
    for command in CONNECT, BIND:
        client, server, identd, answer = begin(command)
        where = "%s:%d" % client.socket.getsockname()
        client.reset()
        identd.expect_no_more()
        logged(log, f"client={where} .*result=none why=\"client left\"")
        server.saw_nobody()


def filtered():
    "an unreachable identd: 92"
    deaf = DeafServer(HERE, PORT)
    for command in CONNECT, BIND:
        Client(request(command, ("127.0.0.1", 21)), HERE).refused(NO_IDENTD)
    deaf.close()


def too_late(log):
    "an answer after connect-timeout or bind-timeout is ignored"
    for command in CONNECT, BIND:
        client, server, identd, answer = begin(command)
        client.refused()
        where = "%s:%d" % client.socket.getsockname()
        try:
            identd.send(answer)
        except OSError:  # the client has gone
            pass
        identd.expect_no_more()
        client.end()
        logged(log, f"client={where} .*result=rejected why=\"timed out\"")
        server.saw_nobody()


main(sys.modules[__name__])
