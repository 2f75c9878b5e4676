# SPDX-License-Identifier: MIT
"""appserver.py IP: an application server that reports its peer and, like an FTP server, calls back on request.

    app IP:PORT               its greeting: the peer's address as this server sees it
    echo TEXT                 TEXT
    call IP:PORT TEXT         "calling", then a connection from IP of this server to IP:PORT: it sends TEXT as a line
                              and returns each line in capitals until the other side closes
    call-from IP IP:PORT TEXT the same from another address of this server
    flood IP:PORT N           "calling", then a connection that carries N bytes and ends
    count                     reads to the end of the stream and reports the number of bytes
    end                       closes the connection
"""
import socket
import sys
import net

HERE = sys.argv[1]


def call(source, target, words):
    ip, port = target.split(":")
    try:
        data = socket.create_connection((net.real(ip, HERE), int(port)), 10, (source, 0))
    except OSError as error:
        return net.log("call failed", error)
    with data:
        net.log("call", net.text(data.getsockname()), "to", net.text(data.getpeername()))
        try:
            data.sendall(words.encode() + b"\n")
            for line in data.makefile("rb"):
                data.sendall(line.upper())
            net.log("call ended")
        except OSError as error:
            net.log("call broke", error)


def flood(target, count):
    ip, port = target.split(":")
    with socket.create_connection((net.real(ip, HERE), int(port)), 10, (HERE, 0)) as data:
        data.sendall(b"x" * int(count))


def handle(client):
    say = lambda text: client.sendall(text.encode() + b"\n")
    net.log("peer", net.text(client.getpeername()))
    say("app " + net.text(client.getpeername()))
    lines = client.makefile("rb")
    for line in lines:
        verb, _, rest = line.decode("latin-1").rstrip("\r\n").partition(" ")
        if verb == "echo":
            say(rest)
        elif verb == "call":
            say("calling")
            net.run(call, HERE, *rest.split(" ", 1))
        elif verb == "call-from":
            say("calling")
            net.run(call, *rest.split(" ", 2))
        elif verb == "flood":
            say("calling")
            net.run(flood, *rest.split(" "))
        elif verb == "count":
            say(f"count {len(lines.read())}")
        elif verb == "end":
            break
        else:
            net.log("unknown", repr(line))
            say("unknown " + verb)
    net.log("end")


net.serve("appserver", HERE, handle)
