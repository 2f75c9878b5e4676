# SPDX-License-Identifier: MIT
"""Requests byte by byte, valid or not: tests/integration/socks4d/protocol.sh."""
import os
import re
import socket
import sys

from wire import (APP, BIND, CONNECT, LARGE, LIMIT, Client, DeafServer, Server, address, equal, eventually, main,
                  request)


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


def own_socket():
    "the server never connects to its own listening socket"
    Client(request(CONNECT, address(os.environ["SOCKS"]))).refused()
    Client(request(CONNECT, ("0.0.0.0", address(os.environ["SOCKS"])[1]))).refused()
    Client(request(CONNECT, (APP, 1), name=os.environ["SOCKS"].split(":")[0].encode())).refused()


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
