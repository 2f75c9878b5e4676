# SPDX-License-Identifier: MIT
"""slow_socks.py CONTROL SOCKS_IP APP_IP | slow_socks.py CONTROL --direct APP_IP: answers on command.

Each connection to the Unix socket CONTROL gets its own destination: the first line that it receives is "IP:PORT". With
SOCKS_IP, a SOCKS4 server holds each request for this destination until a command decides about it, and then also plays
the application server. With --direct, the destination is a listening socket whose backlog is full, so that the kernel
makes connections wait. Each line is a command, and is answered by a line when it has been carried out:

    hold            new connections wait (as at the beginning)
    grant [TEXT]    waiting and new connections are made; TEXT follows in the same segment
    refuse [CODE]   they are refused          close    they see the end of the stream       reset    they are reset
    drip K [CODE]   the first K bytes of the reply                          (direct: nothing)
    await N         returns when N requests have arrived                    (direct: at once)
    gone N          returns when N clients have gone                        (direct: at once)
    requests        their number              early    how many bytes arrived before the reply
    say TEXT        to all connections, at least one                        end      the end of the stream, to the same
    await-call      returns when a BIND waits for its call                  (direct: at once)
    call IP:PORT TEXT   a call to this address that sends TEXT    call-drip K   like drip, for the second reply
    call-close      instead of a call, the end of the stream                (direct: at once)

Everything that a client sends is returned to it.
"""
import socket
import sys
from net import log
from slow_destinations import Client, DirectDestination, Destination, drop, selector, watch

CONTROL, HERE, Destination.ip = sys.argv[1:]
DIRECT = HERE == "--direct"


class Control:
    everyone = set()

    def __init__(self, sock):
        self.sock, self.lines, self.data = sock, [], b""
        self.destination = DirectDestination() if DIRECT else Destination()
        sock.sendall(f"{Destination.ip}:{self.destination.port}\n".encode())
        Control.everyone.add(self)
        watch(sock, self.readable)

    def readable(self):
        try:
            data = self.sock.recv(4096)
        except OSError:
            data = b""
        if not data:
            Control.everyone.discard(self)
            drop(self.sock)
            return self.destination.close()
        *lines, self.data = (self.data + data).split(b"\n")
        self.lines += lines

    def work(self):
        while self.lines:
            answer = self.destination.do(*(self.lines[0].decode().split(" ", 1) + [""])[:2])
            if answer is None:
                return
            self.lines.pop(0)
            self.sock.sendall(answer.encode() + b"\n")


def serve(listener, begin):
    def accept():
        try:
            begin(listener.accept()[0])
        except OSError as error:
            log("error", error)
    watch(listener, accept)


if not DIRECT:
    socks = socket.create_server((HERE, 0), backlog=4096)
    serve(socks, Client)
control = socket.socket(socket.AF_UNIX)
control.bind(CONTROL)
control.listen(128)
serve(control, Control)
log("slow_socks: listening on %s:%s" % (("0.0.0.0", 0) if DIRECT else socks.getsockname()))
while True:
    for key, _ in selector.select():
        try:
            if key.fileobj.fileno() >= 0:
                key.data()
        except OSError as error:
            log("error", error)
    for one in list(Control.everyone):
        try:
            one.work()
        except OSError as error:
            log("error", error)
