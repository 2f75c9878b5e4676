# SPDX-License-Identifier: MIT
"""identd.py ADDRESS PORT MODE [NAME]: names the owner of a connection (RFC 1413), or fails to. PORT 0 is any free port.

MODE is one of these, or @FILE: then each request reads "MODE [NAME]" from the file.

    user      NAME, as usual                  bare      NAME, without a blank after the colon, with only LF
    other     NAME with "x" before it         error     ERROR : NO-USER
    ports     NAME, for another connection    garbage   a line that is not a reply
    eof       NAME, without an end of line    long      a user ID of 2000 octets, which ends in NAME
    slow      NAME, an octet every 0.1 s      silent    nothing, and the connection stays
    close     nothing, and the connection is closed
"""
import socket
import sys
import time

from net import log, run, text

ADDRESS, PORT, *BEHAVIOUR = sys.argv[1:]


def behaviour():
    words = BEHAVIOUR
    if words[0].startswith("@"):
        with open(words[0][1:], encoding="utf-8") as control:
            words = control.read().split()
    return (words + [""])[:2]


def reply(mode, name, ports):
    known = f"{ports} : USERID : UNIX :"
    return {
        "user": f"{known} {name}\r\n",
        "bare": f"{known}{name}\n",
        "other": f"{known} x{name}\r\n",
        "error": f"{ports} : ERROR : NO-USER\r\n",
        "ports": f"1 , 1 : USERID : UNIX : {name}\r\n",
        "garbage": "HTTP/1.0 400 Bad Request\r\n",
        "eof": f"{known} {name}",
        "long": f"{known} {name:x>2000}\r\n",
        "slow": f"{known} {name}\r\n",
    }[mode].encode()


def answer(client, peer):
    with client:
        request = client.makefile("rb").readline().decode("latin-1")
        if not request:
            return log("not asked by", text(peer))
        ports = request.rstrip("\r\n")
        mode, name = behaviour()
        log("asked", ports, "from", peer[0], mode)
        if mode == "close":
            return
        if mode == "slow":
            for octet in reply(mode, name, ports):
                client.sendall(bytes([octet]))
                time.sleep(0.1)
        elif mode != "silent":
            client.sendall(reply(mode, name, ports))
        if mode != "eof":
            client.recv(1)  # until the client closes


listener = socket.create_server((ADDRESS, int(PORT)), backlog=128)
log("identd: listening on", text(listener.getsockname()))
while True:
    run(answer, *listener.accept())
