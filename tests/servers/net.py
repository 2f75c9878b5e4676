# SPDX-License-Identifier: MIT
"""Shared by the test servers: a log with a line for each fact, listening sockets, and remote addresses.

Each test owns a block of loopback addresses. 203.0.113.X (a documentation network that is local to nobody) stands for
address X of that block: clients get such addresses, and the servers translate them.
"""
import socket
import threading

AWAY = "203.0.113."
_lock = threading.Lock()


def log(*words):
    with _lock:
        print(*words, flush=True)


def real(ip, here):
    """The loopback address that a remote address stands for; `here` is any address of the block."""
    return here.rpartition(".")[0] + "." + ip[len(AWAY):] if ip.startswith(AWAY) else ip


def away(ip):
    return AWAY + ip.rpartition(".")[2]


def text(address):
    return f"{address[0]}:{address[1]}"


def run(work, *arguments):
    """Starts a thread for `work`, which may end by a broken connection."""
    def guarded():
        try:
            work(*arguments)
        except OSError as error:
            log("error", error)
    threading.Thread(target=guarded, daemon=True).start()


def serve(name, ip, handle):
    """Accepts forever. Each connection has a thread, and is closed when the thread ends."""
    def handle_and_close(client):
        with client:
            handle(client)

    listener = socket.create_server((ip, 0), backlog=128)
    log(f"{name}: listening on {text(listener.getsockname())}")
    while True:
        run(handle_and_close, listener.accept()[0])
