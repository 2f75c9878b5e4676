# SPDX-License-Identifier: MIT
"""Shared by the tests of socks4d: a SOCKS client that sends literal bytes, and the application servers behind it.

A test is a function whose docstring is its name. Nothing here waits
longer than LIMIT seconds, and no test succeeds by waiting.
"""
import contextlib
import errno
import os
import signal
import socket
import struct
import sys
import time
import types

NET = os.environ["NET"]
APP, PEER, STRANGER = f"{NET}.3", f"{NET}.2", f"{NET}.9"
LIMIT = 60
CONNECT, BIND = 1, 2
GRANTED, REJECTED, NO_IDENTD, OTHER_USER = 90, 91, 92, 93
RESET = "reset"
LARGE = bytes(range(256)) * 8192  # 2 MiB
SO_TIMESTAMPNS = 35  # asm-generic/socket.h


def address(text):
    ip, port = text.rsplit(":", 1)
    return ip, int(port)


def equal(actual, expected, what="result"):
    if actual != expected:
        raise SystemExit(f"{what}: {actual!r:.300} instead of {expected!r:.300}")


def request(command, destination, userid=b"fred", name=None):
    """With a name this is a SOCKS4A request, whose address is 0.0.0.1."""
    ip, port = destination
    head = struct.pack("!BBH4s", 4, command, port, socket.inet_aton("0.0.0.1" if name is not None else ip))
    return head + userid + b"\0" + (b"" if name is None else name + b"\0")


class Stream:
    """A connection, and expectations about it."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(LIMIT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def send(self, data):
        self.socket.sendall(data)
        return self

    def exact(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise SystemExit(f"the end after {len(data)} of {count} bytes: {data!r:.300}")
            data += more
        return data

    def expect(self, data):
        equal(self.exact(len(data)), data, "received")
        return self

    def stamped(self, byte):
        """The time in nanoseconds when this byte arrived at this host, or False if the kernel did not record it."""
        data, more, _, _ = self.socket.recvmsg(1, 64)
        equal(data, byte, "received")
        return more and int.from_bytes(more[0][2][:8], sys.byteorder) * 10**9 + int.from_bytes(more[0][2][8:], sys.byteorder)

    def rest(self):
        """Everything up to the end of the stream, or RESET."""
        data = b""
        try:
            while more := self.socket.recv(1 << 16):
                data += more
        except ConnectionResetError:
            return RESET
        return data

    def expect_end(self):
        equal(self.rest(), b"", "at the end")

    def expect_no_more(self):
        """The connection ends, one way or another."""
        if self.rest() not in (b"", RESET):
            raise SystemExit("there was more")

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Client(Stream):
    """A client of the SOCKS server, perhaps from `source`; it sends `data` at once, in one segment."""

    def __init__(self, data=b"", source=None):
        there = address(os.environ["SOCKS"])
        super().__init__(socket.create_connection(there, LIMIT, (source, 0) if source else None))
        if data:
            self.send(data)

    def reply(self):
        version, code, port, ip = struct.unpack("!BBH4s", self.exact(8))
        equal(version, 0, "version of the reply")
        return code, (socket.inet_ntoa(ip), port)

    def granted(self):
        code, endpoint = self.reply()
        equal(code, GRANTED, "code")
        return endpoint

    def refused(self, code=REJECTED):
        """The reply is a refusal, and the end of the stream follows."""
        equal(self.exact(8), struct.pack("!BBHI", 0, code, 0, 0), "reply")
        self.expect_end()


class Server:
    """An application server, whose clients must all come from the SOCKS server's outer address."""

    def __init__(self, ip=APP, port=0, backlog=16):
        self.listener = socket.create_server((ip, port), backlog=backlog)
        self.listener.settimeout(LIMIT)
        self.address = self.listener.getsockname()

    def accept(self):
        connection, self.peer = self.listener.accept()
        equal(self.peer[0], PEER, "who calls the application server")
        return Stream(connection)

    def connect(self, userid=b"fred", early=b""):
        """A relay: its client, which sent `early` along with its request, and its other end."""
        client = Client(request(CONNECT, self.address, userid) + early)
        there = self.accept()
        equal(client.granted(), self.peer, "address in the reply")
        return client, there

    def forget(self):
        """Everybody who has called so far."""
        self.listener.setblocking(False)
        try:
            while True:
                self.listener.accept()
        except BlockingIOError:
            self.listener.settimeout(LIMIT)

    def saw_nobody(self):
        self.listener.setblocking(False)
        try:
            raise SystemExit(f"there is a connection from {self.listener.accept()[1]}")
        except BlockingIOError:
            self.listener.settimeout(LIMIT)


class DeafServer(Server):
    """A server with a full backlog: the kernel drops new connections, as a packet filter would."""

    def __init__(self, ip=APP, port=0):
        super().__init__(ip, port, backlog=0)
        self.fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self.address)
            self.fillers.append(filler)

    def reset_callers_until(self, ip):
        """One of the dropped connections came from there; its next attempt is accepted."""
        for filler in self.fillers:
            filler.close()
        peer = None
        while peer != ip:
            connection, (peer, _) = self.listener.accept()
            Stream(connection).reset()

    def close(self):
        for one in self.fillers + [self.listener]:
            one.close()


def call(target, source=APP):
    """A call from the application server to the address of a BIND."""
    return Stream(socket.create_connection(target, LIMIT, (source, 0)))


def refuses(target):
    """Does not wait for the connection, so that a full backlog does no harm."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(target) == errno.ECONNREFUSED


def eventually(question):
    """Repeats a question until the answer is true, and returns that answer."""
    deadline = time.monotonic() + LIMIT
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return answer


def bound(destination=(APP, 21), early=b""):
    """A BIND: its client, and the address where it expects the call."""
    client = Client(request(BIND, destination) + early)
    return client, client.granted()


def configure(text):
    """Tells socks4d to read these rules. It may read them only after this returns."""
    with open("rules.conf", "w", encoding="ascii") as file:
        file.write(text)
    os.kill(int(os.environ["SOCKS4D"]), signal.SIGHUP)


@contextlib.contextmanager
def stopped_server():
    pid = int(os.environ["SOCKS4D"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def cases(module):
    """The names of its tests."""
    return [name for name, test in module.__dict__.items()
            if isinstance(test, types.FunctionType) and test.__module__ == module.__name__ and test.__doc__]


def run(module, verb, *words):
    """SCRIPT list, SCRIPT name CASE..., or SCRIPT CASE [ARG...]."""
    if verb == "list":
        print(*cases(module))
    elif verb == "name":
        print(*(getattr(module, case).__doc__ for case in words), sep="\n")
    else:
        result = getattr(module, verb)(*words)
        if hasattr(result, "__next__"):
            list(result)


def main(module):
    """Does nothing in a module that children.py imports."""
    if module.__name__ == "__main__":
        run(module, *sys.argv[1:])
