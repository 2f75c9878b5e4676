# SPDX-License-Identifier: MIT
"""How socks4d runs, logs and ends: tests/integration/socks4d/running.sh."""
import os
import signal
import socket
import subprocess
import sys

from wire import (APP, BIND, CONNECT, LIMIT, NET, RESET, STRANGER, Client, DeafServer, Server, address, bound, call,
                  equal, main, refuses, request)


def ends(name):
    # The listening socket is closed first. With many relays there is time to notice a wrong order.
    server = Server()
    relays = []
    for _ in range(200):
        client = Client(request(CONNECT, server.address))
        relays.append((client, server.accept()))
        client.granted()
    binder, where = bound()
    deaf = DeafServer()
    waiting = [Client(), Client(b"\x04\x01"), Client(request(CONNECT, deaf.address))]
    for number in range(3):  # they are accepted before later ones are served
        client, there = server.connect()
        client.end()
        there.end()
        client.expect_end()
    os.kill(int(os.environ["SOCKS4D"]), getattr(signal, name))
    equal(relays[0][0].rest(), RESET, "a client")
    equal(refuses(address(os.environ["SOCKS"])), True, "the listening socket is closed by then")
    for client, there in relays:
        equal(there.rest(), RESET, "an application server")
        if client is not relays[0][0]:
            equal(client.rest(), RESET, "a client")
    for client in [binder] + waiting:
        client.expect_no_more()
    equal(refuses(where), True, "the port of a BIND is closed")


def one_of_each():
    # these are what the counters and the log show
    server = Server()
    for command in CONNECT, CONNECT, BIND:
        if command == CONNECT:
            client, there = server.connect()
        else:
            client, where = bound((APP, 2100))
            there = call(where)
            client.granted()
        client.send(b"up:5!").end()
        there.expect(b"up:5!").send(b"down:7!").end()
        equal(client.rest(), b"down:7!")
        there.expect_end()
    client, where = bound()
    call(where, STRANGER).expect_no_more()
    client.refused()
    Client(request(CONNECT, (APP, 1), b"")).refused()
    Client(request(CONNECT, (APP, 1), name=b"127.1")).refused()
    Client(b"\x05").refused()


def forge():
    for userid, name in ((b'a" result=granted why="', None), (b"a\nclient=1.2.3.4:5 user=\"root\"\r\n", None),
                         (b"\\\" \t\x01\x1b[31m\x7f\x80\xff", None), (b"", b"a\" b\\\n\xff"), (b"u" * 255, None), (b"\xff" * 255, b"\xff" * 255)):
        Client(request(CONNECT, (APP, 1), userid, name)).refused()


def served():
    client, there = Server().connect()
    client.send(b"up")
    there.expect(b"up")


def activated(*command):
    # Like a service manager: the sockets are opened here, and stay open when the server ends.
    listeners = [socket.create_server((f"{NET}.1", 0)) for _ in range(2)]
    read, write = os.pipe()

    def hand_over():
        high = [os.dup2(listener.fileno(), 100 + number) for number, listener in enumerate(listeners)]
        os.dup2(write, 1)
        for number, fd in enumerate(high):
            os.dup2(fd, 3 + number)
        os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = "2"
    # A shell knows its process ID and keeps it in exec. Changes of os.environ in preexec_fn do not reach execve().
    server = subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command], preexec_fn=hand_over, close_fds=False)
    os.close(write)
    with os.fdopen(read) as output:
        for listener in listeners:
            equal(output.readline(), "socks4d: listening on %s:%d\n" % listener.getsockname())
        for listener in listeners:
            os.environ["SOCKS"] = "%s:%d" % listener.getsockname()
            served()
        server.terminate()
        equal(server.wait(LIMIT), 0, "exit status")
        equal(output.read(), "")
    for listener in listeners:
        equal(refuses(listener.getsockname()), False, "the manager's socket is closed")


def passed_wrong(*command):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind((f"{NET}.1", 0))
    os.environ["LISTEN_FDS"] = "1"
    result = subprocess.run(["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command], preexec_fn=lambda: os.dup2(one.fileno(), 3),
                            close_fds=False, timeout=LIMIT, capture_output=True, text=True)
    print(result.stderr, end="")
    equal(result.returncode, 1, "exit status")


def stdout_without_reader(*command):
    # The log and the counters go to a pipe whose reader has left, or has stopped reading: clients do not notice.
    for leaves in True, False:
        server = subprocess.Popen([*command, "--log", "-"], stdout=subprocess.PIPE, text=True)
        os.environ["SOCKS"] = server.stdout.readline().split()[-1]
        if leaves:
            server.stdout.close()
        for _ in range(3 if leaves else 700):  # more than a pipe holds
            Client(request(CONNECT, (APP, 1), b"\xff" * 255)).refused()
        server.send_signal(signal.SIGUSR1)
        served()
        server.terminate()
        equal(server.wait(LIMIT), 0, "exit status")
        if not leaves:
            lines = server.stdout.read().splitlines()
            equal({line[:5] for line in lines}, {"time="}, "whole lines")


main(sys.modules[__name__])
