# SPDX-License-Identifier: MIT
"""soak.py COUNT IP WEB_PORT FTP_PORT APP_PORT ROOT: one process makes COUNT transfers of every kind, several at a time.

The servers are at IP, and their files in ROOT, so that both ends of every transfer can be compared. A transfer may fail
only if it overlaps with a restart of the SOCKS server, which lasts from the creation of the file "down" to that of "up". No
transfer may claim success without having it. "reached.1" and "reached.2" are created after a third and two thirds of them.
The last lines show the number of transfers, and the descriptors and memory of the process before and after.
"""
import collections
import ftplib
import gc
import hashlib
import http.client
import io
import os
import resource
import socket
import subprocess
import sys
import threading
import time

COUNT, IP, WEB, FTP, APP, ROOT = int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6]
WORKERS, PATIENCE = 6, 60
FILES = {name: open(f"{ROOT}/{name}", "rb").read() for name in sorted(os.listdir(ROOT)) if name.startswith("get.")}
COARSE = 0.01  # file times have the resolution of the kernel's tick


class Wrong(Exception):
    """A failure that no restart of the server excuses."""


def same(got, expected):
    if hashlib.sha256(got).digest() != hashlib.sha256(expected).digest():
        raise Wrong(f"{len(got)} bytes, and not the {len(expected)} that were sent")


def made(name):
    try:
        return os.stat(name).st_mtime
    except FileNotFoundError:
        return None


def while_restarted(begin):
    down, up = made("down"), made("up")
    return down is not None and (up is None or up + COARSE > begin)


class Session:
    """An FTP session for several transfers in one mode."""

    def __init__(self, passive):
        self.passive, self.ftp = passive, None

    def opened(self):
        if not self.ftp:
            self.ftp, self.began, self.left = ftplib.FTP(), time.time(), 15
            self.ftp.connect(IP, FTP, PATIENCE)
            self.ftp.login()
            self.ftp.set_pasv(self.passive)
        return self.ftp

    def used(self):
        self.left -= 1
        if not self.left:
            self.ftp.quit()
            self.forget()

    def forget(self):
        if self.ftp:
            self.ftp.close()
        self.ftp = None

    def get(self, name):
        got = io.BytesIO()
        self.opened().retrbinary("RETR " + name, got.write)
        # The kernel ends the streams of a killed SOCKS server, and the 226 may have arrived before that.
        if len(got.getvalue()) < len(FILES[name]) and FILES[name].startswith(got.getvalue()):
            raise EOFError(f"{len(got.getvalue())} bytes of {len(FILES[name])}")
        same(got.getvalue(), FILES[name])
        self.used()

    def put(self, name):
        there = f"in/{time.time_ns()}.{threading.get_ident()}"
        self.opened().storbinary("STOR " + there, io.BytesIO(FILES[name]))
        with open(f"{ROOT}/{there}", "rb") as stored:
            same(stored.read(), FILES[name])
        os.unlink(f"{ROOT}/{there}")
        self.used()


def by_http(name):
    server = http.client.HTTPConnection(IP, WEB, timeout=PATIENCE)
    try:
        server.request("GET", "/" + name)
        same(server.getresponse().read(), FILES[name])
    finally:
        server.close()


def called(name):
    """A BIND, and data in both directions of the call."""
    words = hashlib.sha256(FILES[name]).hexdigest().encode()
    with socket.create_connection((IP, APP), PATIENCE) as primary, primary.makefile("rb") as said, socket.socket() as waiting:
        said.readline()
        waiting.settimeout(PATIENCE)
        waiting.bind(("", 0))
        waiting.listen(1)
        primary.sendall(b"call %s:%d %s\n" % (waiting.getsockname()[0].encode(), waiting.getsockname()[1], words))
        call, _ = waiting.accept()
        with call, call.makefile("rb") as heard:
            call.settimeout(PATIENCE)
            greeting = heard.readline()
            if not greeting.endswith(b"\n"):
                raise EOFError("the call has ended")
            same(greeting, words + b"\n")
            call.sendall(greeting)
            answer = heard.readline()
            if not answer.endswith(b"\n"):
                raise EOFError("the call has ended")
            same(answer, greeting.upper())


def refused(_):
    try:
        socket.create_connection((IP, 1), PATIENCE).close()
    except ConnectionRefusedError:
        return
    raise Wrong("a connection to a port where nobody listens")


def killed(_):
    """A client that dies in the middle: a child of this process, which has many threads."""
    with subprocess.Popen(["curl", "-sN", "--limit-rate", "100k", f"http://{IP}:{WEB}/get.4"], stdout=subprocess.PIPE) as client:
        begun = client.stdout.read(1)
        client.kill()
    if not begun:
        raise EOFError("a client that has received nothing")


class Worker:
    def __init__(self):
        self.sessions = {"passive": Session(True), "active": Session(False)}
        passive, active = self.sessions.values()
        self.kinds = [("passive FTP", passive.get), ("active FTP", active.get), ("HTTP", by_http), ("BIND", called),
                      ("passive FTP", passive.put), ("active FTP", active.put), ("HTTP", by_http), ("refused", refused),
                      ("BIND", called), ("active FTP", active.get), ("HTTP", by_http)]

    def transfer(self, number):
        kind, how = self.kinds[number % len(self.kinds)] if number % 50 != 49 else ("killed", killed)
        begin = time.time()
        try:
            how(list(FILES)[number % len(FILES)])
            return kind
        except (OSError, EOFError, ftplib.Error, http.client.HTTPException) as error:
            begin = min([begin] + [session.began for session in self.sessions.values() if session.ftp])
            for session in self.sessions.values():
                session.forget()
            if not while_restarted(begin):
                raise Wrong(f"{kind}: {error!r}") from error
            while made("up") is None and time.time() - begin < PATIENCE:
                time.sleep(0.02)
            return "broken by the restart"

    def work(self, numbers):
        for number in numbers:
            try:
                done[self.transfer(number)] += 1
            except Exception as error:  # otherwise nobody would notice that a thread ended
                wrong.append(f"transfer {number}: {error}")
            for part in (1, 2):
                if number == COUNT * part // 3:
                    open(f"reached.{part}", "w").close()
        for session in self.sessions.values():
            session.forget()


def in_parallel(first, end):
    numbers = iter(range(first, end))
    lock = threading.Lock()

    def each():
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            yield number
    workers = [threading.Thread(target=Worker().work, args=(each(),)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def held():
    """Descriptors and KiB."""
    gc.collect()
    with open("/proc/self/statm") as sizes:
        return len(os.listdir("/proc/self/fd")), int(sizes.read().split()[1]) * resource.getpagesize() // 1024


done, wrong = collections.Counter(), []
warm = COUNT // 4
in_parallel(0, warm)
before = held()
in_parallel(warm, COUNT)
after = held()
print(*wrong[:20], sep="\n", end="\n" if wrong else "")
print("done:", sum(done.values()), *(f"{kind} {count}," for kind, count in sorted(done.items())))
print(f"held: descriptors {before[0]} {after[0]}, KiB {before[1]} {after[1]}")
sys.exit(bool(wrong))
