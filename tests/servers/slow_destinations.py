# SPDX-License-Identifier: MIT
"""The destinations of slow_socks.py, which has the commands, and the clients that reach them."""
import select
import selectors
import socket
import struct
from net import log

selector = selectors.DefaultSelector()


def watch(sock, handle):
    selector.register(sock, selectors.EVENT_READ, handle)


def drop(sock):
    if sock.fileno() >= 0 and sock.fileno() in selector.get_map():
        selector.unregister(sock)
    sock.close()


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    drop(sock)


class Client:
    """A connection of a SOCKS client, or a direct one."""

    def __init__(self, sock, connected=False):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.state, self.data, self.sent, self.destination = sock, "request", b"", 0, None
        if connected:
            self.state = "connected"
        watch(sock, self.readable)

    def readable(self):
        try:
            data = self.sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.gone()
        elif self.state == "request":
            self.data += data
            if len(self.data) > 8 and 0 in self.data[8:]:
                self.requested()
        elif self.state == "connected":
            self.send(data)
        else:
            log("early", data)
            self.destination.early += len(data)

    def gone(self):
        drop(self.sock)
        if self.destination:
            self.destination.gone += 1
            self.destination.clients.discard(self)

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self.gone()

    def requested(self):
        version, command, port, ip = struct.unpack("!BBH4s", self.data[:8])
        rest = self.data[8:].partition(b"\0")[2]
        self.destination = Destination.by_port.get(port)
        if version != 4 or socket.inet_ntoa(ip) != Destination.ip:
            log("not a request:", self.data)
            return reset(self.sock)
        if not self.destination:
            return drop(self.sock)  # the program that used it has ended
        if rest:
            log("early", rest)
            self.destination.early += len(rest)
        self.destination.clients.add(self)
        if command == 2:
            self.state = "bound"
            return self.send(reply(90))
        self.state = "held"
        self.destination.requests += 1
        self.answer(*self.destination.mode)

    def answer(self, verb, words=""):
        """Carries out the current mode for a request."""
        if verb == "hold":
            return
        if verb == "grant":
            self.state = "connected"
            self.send(reply(90)[self.sent:] + words.encode())
        elif verb == "refuse":
            self.send(reply(int(words or 91))[self.sent:])
            drop(self.sock)
        elif verb == "close":
            drop(self.sock)
        elif verb == "reset":
            reset(self.sock)
        if verb != "grant":
            self.destination.clients.discard(self)

    def drip(self, count, code=90):
        self.send(reply(int(code))[self.sent:int(count)])
        self.sent = int(count)


def reply(code):
    return struct.pack("!BBH4s", 0, code, 4242, socket.inet_aton(Destination.ip))


class Destination:
    """A destination that is reached by SOCKS. All of them have the address `ip`."""
    ip = ""
    next_port = 10000
    by_port = {}
    is_direct = False

    def __init__(self):
        self.clients, self.mode, self.requests, self.early, self.gone = set(), ("hold",), 0, 0, 0
        self.open()

    def open(self):
        Destination.next_port += 1
        self.port = Destination.next_port
        Destination.by_port[self.port] = self

    def close(self):
        del Destination.by_port[self.port]
        for client in list(self.clients):
            drop(client.sock)

    def set(self, *mode):
        self.mode = mode
        for client in self.those("held"):
            client.answer(*mode)
        return "ok"

    def those(self, state):
        return [client for client in self.clients if client.state == state]

    def drip(self, state, words):
        for client in self.those(state):
            client.drip(*words.split())
        return "ok"

    def call(self, _, words):
        for client in self.those("bound"):
            client.state = "connected"
            client.send(reply(90)[client.sent:] + words.encode() + b"\n")
        return "ok"

    def do(self, verb, words):
        """The answer to a command, or None while it is not done."""
        if verb in ("hold", "grant", "refuse", "close", "reset"):
            return self.set(verb, words)
        if verb == "drip":
            return self.drip("held", words)
        if verb == "call-drip":
            return self.drip("bound", words)
        if verb == "await":
            return "ok" if self.is_direct or self.requests >= int(words) else None
        if verb == "gone":
            return "ok" if self.is_direct or self.gone >= int(words) else None
        if verb == "await-call":
            return "ok" if self.is_direct or self.those("bound") else None
        if verb == "call":
            return self.call(*words.split(" ", 1))
        if verb == "call-close":
            for client in self.those("bound"):
                drop(client.sock)
            return "ok"
        if verb in ("requests", "early"):
            return str(getattr(self, verb))
        connected = self.those("connected")
        if not connected:
            return None
        for client in connected:
            if verb == "say":
                client.send(words.encode() + b"\n")
            elif verb == "end":
                client.sock.shutdown(socket.SHUT_WR)
        return "ok"


class DirectDestination(Destination):
    """A destination that is reached directly; its full backlog makes connections wait. Its port is never given to
    anybody else, unlike a port chosen by the kernel, which would become free while this one refuses."""
    is_direct = True

    def open(self):
        super().open()
        self.listen()

    def listen(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((self.ip, self.port))
        self.fill()

    def fill(self):
        self.listener.listen(0)
        self.filler = socket.create_connection((self.ip, self.port))
        self.filler_name = self.filler.getsockname()
        select.select([self.listener], [], [])  # which is in the queue, and fills it

    def close(self):
        drop(self.listener)
        self.filler.close()
        for client in list(self.clients):
            drop(client.sock)

    def set(self, *mode):
        verb = mode[0]
        self.mode = mode
        is_open = self.listener.fileno() >= 0
        if is_open and self.listener in [key.fileobj for key in selector.get_map().values()]:
            selector.unregister(self.listener)
        if verb == "grant":
            if not is_open:
                self.listen()
            self.listener.listen(128)
            watch(self.listener, self.accept)
        elif verb == "hold":
            self.fill() if is_open else self.listen()
        else:
            self.listener.close()
        return "ok"

    def accept(self):
        sock, peer = self.listener.accept()
        if peer == self.filler_name:
            self.filler.close()
            self.filler_name = None  # a client may get its port now
            return sock.close()
        self.requests += 1
        client = Client(sock, True)
        client.destination = self
        self.clients.add(client)
        if len(self.mode) > 1:
            client.send(self.mode[1].encode())

    def drip(self, state, words):
        return "ok"

    def call(self, where, words):
        ip, port = where.split(":")
        client = Client(socket.create_connection((ip, int(port)), 5, (self.ip, 0)), True)
        client.destination = self
        self.clients.add(client)
        client.send(words.encode() + b"\n")
        return "ok"
