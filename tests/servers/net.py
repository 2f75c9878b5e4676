# SPDX-License-Identifier: MIT
"""What the test servers share: a log that is a line per fact, listening sockets, and addresses that are not here.

Each test owns a block of loopback addresses. 203.0.113.X (a documentation network, local to nobody) stands for
address X of that block: a client can be told such an address, the servers know where it really leads.
"""
import socket
import threading

AWAY = "203.0.113."
_lock = threading.Lock()


def log(*words):
    with _lock:
        print(*words, flush=True)


def real(ip, here):
    """The loopback address for an address that is away; `here` is any address of the block."""
    return here.rpartition(".")[0] + "." + ip[len(AWAY):] if ip.startswith(AWAY) else ip


def away(ip):
    return AWAY + ip.rpartition(".")[2]


def text(address):
    return f"{address[0]}:{address[1]}"


def run(work, *arguments):
    """A thread of its own for `work`; the end of a connection is nothing to stop for."""
    def guarded():
        try:
            work(*arguments)
        except OSError as error:
            log("error", error)
    threading.Thread(target=guarded, daemon=True).start()


def serve(name, ip, handle):
    """Accepts for ever, one thread per connection, which ends with it."""
    def handle_and_close(client):
        with client:
            handle(client)

    listener = socket.create_server((ip, 0), backlog=128)
    log(f"{name}: listening on {text(listener.getsockname())}")
    while True:
        run(handle_and_close, listener.accept()[0])
