# SPDX-License-Identifier: MIT
"""ask.py connect|bind IP:PORT [user USERID] [from IP] [name NAME]: prints the code of the reply, the first one of a BIND.

The client's own address is left in the file "client".
"""
import sys

from wire import BIND, CONNECT, Client, address, main, request


def ask(command, destination, *words):
    given = dict(zip(words[::2], words[1::2]))
    name = given["name"].encode() if "name" in given else None
    client = Client(request(command, address(destination), given.get("user", "fred").encode(), name), given.get("from"))
    with open("client", "w", encoding="ascii") as file:
        print("%s:%d" % client.socket.getsockname(), file=file)
    code, _ = client.reply()
    if code != 90:
        client.expect_end()
    print(code)


def connect(*words):
    ask(CONNECT, *words)


def bind(*words):
    ask(BIND, *words)


main(sys.modules[__name__])
