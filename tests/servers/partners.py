# SPDX-License-Identifier: MIT
"""partners.py IP: the peers of the differential test. Each kind has its own port and always does the same.

    echo     returns everything, and ends when the other side has ended
    greet    the same, after "hello\\n"
    half     "bye\\n" and the end of its half; reads until the other side has ended
    closer   "bye\\n", and closes
    silent   reads and sends nothing
    reset    resets the connection at the first byte
    gone     resets the connection at once
    caller   "call IP PORT\\n": connects there, sends "called\\n" and echoes; replies "done\\n" or "fail\\n" here
             "say\\n": sends "more\\n" there, and the same reply here
    slow     a full backlog: no connection is ever accepted
    closed   nothing listens

The first line of the log is "partners: listening on " and then KIND=IP:PORT for each.
"""
import selectors
import socket
import struct
import sys
import net

HERE = sys.argv[1]
GREETINGS = {"greet": b"hello\n", "half": b"bye\n", "closer": b"bye\n"}
selector = selectors.DefaultSelector()
called = {}  # a control connection: the last call that it asked for


def drop(sock):
    called.pop(sock, None)
    selector.unregister(sock)
    sock.close()


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    drop(sock)


def call(control, words):
    _, ip, port = words.split()
    sock = socket.socket()
    sock.bind((HERE, 0))
    sock.settimeout(5)
    try:
        sock.connect((ip.decode(), int(port)))
        sock.sendall(b"called\n")
        begin(sock, "echo")
        called[control] = sock
        control.sendall(b"done\n")
    except OSError:
        control.sendall(b"fail\n")


def say(control):
    try:
        called[control].sendall(b"more\n")
        control.sendall(b"done\n")
    except (OSError, KeyError):
        control.sendall(b"fail\n")


def begin(sock, kind):
    sock.settimeout(20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(sock, selectors.EVENT_READ, lambda: readable(sock, kind))
    sock.sendall(GREETINGS.get(kind, b""))
    if kind == "half":
        sock.shutdown(socket.SHUT_WR)
    elif kind == "closer":
        drop(sock)
    elif kind == "gone":
        reset(sock)


def readable(sock, kind):
    try:
        data = sock.recv(1 << 20)
        if not data:
            drop(sock)
        elif kind == "reset":
            reset(sock)
        elif kind == "caller" and data.startswith(b"call "):
            call(sock, data)
        elif kind == "caller" and data == b"say\n":
            say(sock)
        elif kind in ("echo", "greet"):
            sock.sendall(data)
    except OSError:
        if sock.fileno() >= 0:
            drop(sock)


def accept(listener, kind):
    try:
        sock = listener.accept()[0]
    except OSError:
        return
    try:
        begin(sock, kind)
    except OSError:
        if sock.fileno() >= 0:
            drop(sock)


def full():
    """A listening socket with a full backlog, and the connections that fill it."""
    listener = socket.create_server((HERE, 0), backlog=0)
    waiting = []
    while True:
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
        if not selectors_ready(sock):
            return listener, waiting


def selectors_ready(sock):
    with selectors.SelectSelector() as one:
        one.register(sock, selectors.EVENT_WRITE)
        return one.select(0.1)


ports = {}
for name in "echo greet half closer silent reset gone caller".split():
    server = socket.create_server((HERE, 0), backlog=512)
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ, lambda server=server, name=name: accept(server, name))
    ports[name] = server
ports["slow"], filling = full()
ports["closed"] = socket.socket()
ports["closed"].bind((HERE, 0))
net.log("partners: listening on", *(f"{name}={net.text(sock.getsockname())}" for name, sock in ports.items()))
while True:
    for key, _ in selector.select():
        key.data()
