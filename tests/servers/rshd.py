# SPDX-License-Identifier: MIT
"""rshd.py IP SHELL_PORT EXEC_PORT: rshd(8) and rexecd(8), which run commands. Prints "peer IP:PORT" for each connection."""
import socket
import subprocess
import sys
import threading


def text(connection):
    """The bytes before the next NUL."""
    result = b""
    while (byte := connection.recv(1)) not in (b"\0", b""):
        result += byte
    return result.decode()


def serve(connection, peer, host):
    print("peer %s:%d" % peer, flush=True)
    errors, port = connection, int(text(connection) or 0)
    if port:
        errors = socket.socket()
        errors.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        errors.bind((host, 1000))
        errors.connect((peer[0], port))
        print("stderr to port %d" % port, flush=True)
    first, second, command = text(connection), text(connection), text(connection)
    print("command %s %s %s" % (first, second, command), flush=True)
    if second == "nobody":
        connection.sendall(b"\1rshd: Permission denied.\n")
    else:
        connection.sendall(b"\0")
        subprocess.run(["sh", "-c", command], stdin=connection, stdout=connection, stderr=errors)
    connection.close()
    errors.close()


def listen(host, port):
    server = socket.create_server((host, port))
    while True:
        connection, peer = server.accept()
        threading.Thread(target=serve, args=(connection, peer, host), daemon=True).start()


ip, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
threads = [threading.Thread(target=listen, args=(ip, port)) for port in ports]
for thread in threads:
    thread.start()
