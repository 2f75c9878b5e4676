# SPDX-License-Identifier: MIT
"""faulty_socks.py LISTEN_IP EXIT_IP SCENARIO: a SOCKS4 server that misbehaves on demand.

A fault is STAGE-ACT; several are joined by "+". SCENARIO names the faults or, if it is "by-userid", the userid of each
request does. STAGE is connect, bind (the first reply to a BIND) or second (the second reply). ACT is one of

    close       end of stream instead of a reply           eof-K       end of stream after K bytes of it
    rst         reset instead of a reply                   rst-K       reset after K bytes of it
    silence     no reply                                   slow        the reply after half a second
    refuse-C    reply C, then end of stream                code-C      reply with the code C, then go on
    version-V   a reply with VN = V                        garbage     an HTTP error
    bytewise    one byte per segment                        noaddress   zeros for DSTIP
    zeros       zeros for DSTPORT and DSTIP
    glued       in one segment with the first bytes from the other side
    halved      two segments, the second one glued         away        an address that is not local
    loopback    127.0.0.1 for DSTIP
    overtaken   after the first bytes that the other side sends on another connection

or, as a whole SCENARIO, "deaf-close" and "deaf-rst": end the connection without reading the request.
Requests to address 5 of the block go to address 3 without faults. The log has one line per request.
"""
import select
import socket
import struct
import sys
import threading
import time
import net

HERE, EXIT, SCENARIO = sys.argv[1:]
CLOSE, RESET, SILENCE, GLUE, OVERTAKEN, STEADY = "close", "reset", "silence", "glue", "overtaken", "steady"
relayed = threading.Event()


def steps(act, number, reply):
    """The actions that replace sending `reply`: bytes to send, seconds to wait, or an end."""
    return {
        "": [reply],
        "close": [CLOSE],
        "eof": [reply[:number], CLOSE],
        "rst": [reply[:number], 0.05, RESET] if number else [RESET],
        "silence": [SILENCE],
        "stall": [reply[:number], SILENCE],
        "slow": [0.5, reply],
        "refuse": [bytes([0, number]) + reply[2:], CLOSE],
        "code": [bytes([0, number]) + reply[2:]],
        "version": [bytes([number]) + reply[1:]],
        "garbage": [b"HTTP/1.0 400 Bad Request\r\n\r\n", CLOSE],
        "bytewise": [step for byte in reply for step in (bytes([byte]), 0.005)],
        "zeros": [reply[:2] + bytes(6)],
        "noaddress": [reply[:4] + bytes(4)],
        "glued": [GLUE, reply],
        "halved": [reply[:5], 0.02, GLUE, reply[5:]],
        "loopback": [reply[:4] + socket.inet_aton("127.0.0.1")],
        "overtaken": [OVERTAKEN, 0.01, reply],
        "away": [reply[:4] + socket.inet_aton(net.away(socket.inet_ntoa(reply[4:])))],
    }[act]


def plan(userid, stage, reply):
    if userid is STEADY:
        return [reply]
    for part in (userid if SCENARIO == "by-userid" else SCENARIO).split("+"):
        name, _, act = part.partition("-")
        if name == stage:
            act, _, number = act.partition("-")
            return steps(act, int(number or 0), reply)
    return [reply]


def send_reply(client, userid, stage, address, other=None, on_sent=lambda: None):
    """Performs one reply; false if the connection has ended. Calls on_sent() when everything has been sent."""
    code = 90 if address else 91
    ip, port = address or ("0.0.0.0", 0)
    reply = struct.pack("!BBH4s", 0, code, port, socket.inet_aton(ip))
    glued = b""
    for step in plan(userid, stage, reply):
        if step == CLOSE:
            client.shutdown(socket.SHUT_WR)
            on_sent()
            drain(client)
            return False
        elif step == RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            return False
        elif step == SILENCE:
            on_sent()
            drain(client)
            return False
        elif step == OVERTAKEN:
            relayed.clear()
            on_sent()
            relayed.wait(10)
        elif step == GLUE:
            glued = other.recv(65536)
        elif isinstance(step, float):
            time.sleep(step)
        else:
            client.sendall(step)
    client.sendall(glued)
    on_sent()
    return code == 90


def drain(client):
    """Returns when the client is gone. A byte that it sends now was meant for the application, and came too early."""
    early = client.recv(65536)
    while early:
        net.log("early", early)
        early = client.recv(65536)


def read_request(client):
    data = b""
    while len(data) < 9 or 0 not in data[8:]:
        more = client.recv(4096)
        if not more:
            net.log("short request", data)
            return None
        data += more
    version, command, port, ip = struct.unpack("!BBH4s", data[:8])
    userid, _, rest = data[8:].partition(b"\0")
    ip = socket.inet_ntoa(ip)
    if ip.startswith("0.0.0.") and ip != "0.0.0.0":
        while 0 not in rest:
            rest += client.recv(4096)
        name, _, rest = rest.partition(b"\0")
        ip = name.decode("latin-1")
    if rest or version != 4:
        net.log("early" if version == 4 else "version", version, rest)
    return command, (ip, port), userid.decode("latin-1")


class Awaited:
    """An expected call, until the client knows about it. What the caller then says on another connection is held back
    until the client knows: without a proxy, a client hears of the two in this order."""
    _all, _changed = set(), threading.Condition()

    def __init__(self, listener):
        self.listener, self.has_come = listener, False

    def __enter__(self):
        with self._changed:
            self._all.add(self)
        return self

    def __exit__(self, *_):
        self.tell()

    def tell(self):
        with self._changed:
            self._all.discard(self)
            self._changed.notify_all()

    def is_unreported(self):
        return self.has_come or bool(select.select([self.listener], [], [], 0)[0])

    @classmethod
    def wait_until_reported(cls):
        with cls._changed:
            cls._changed.wait_for(lambda: not any(awaited.is_unreported() for awaited in cls._all), 5)


def relay(one, other):
    """Relays both directions until both have ended, and relays each end."""
    towards = {one: other, other: one}
    open_ends = {one, other}
    while open_ends:
        for source in select.select(list(open_ends), [], [])[0]:
            data = source.recv(65536)
            Awaited.wait_until_reported()
            if data:
                towards[source].sendall(data)
                relayed.set()
            else:
                open_ends.discard(source)
                towards[source].shutdown(socket.SHUT_WR)


def connect(client, destination, userid):
    ip, port = destination
    ip = net.real(ip, HERE)
    if ip.endswith(".5"):
        ip, userid = ip[:-1] + "3", STEADY
    try:
        other = socket.create_connection((ip, port), 10, (EXIT, 0))
    except OSError as error:
        net.log("failed", error)
        return send_reply(client, userid, "connect", None)
    with other:
        if send_reply(client, userid, "connect", other.getsockname(), other):
            relay(client, other)


def bind(client, destination, userid):
    with socket.create_server((EXIT, 0)) as listener, Awaited(listener) as awaited:
        net.log("bound", net.text(listener.getsockname()))
        if not send_reply(client, userid, "bind", listener.getsockname()):
            return
        if client in select.select([client, listener], [], [])[0] and not client.recv(65536, socket.MSG_PEEK):
            net.log("bind given up")
            return
        awaited.has_come = True
        other, peer = listener.accept()
        with other:
            take_call(client, destination, userid, other, peer, awaited)


def take_call(client, destination, userid, other, peer, awaited):
    expected = socket.gethostbyname(net.real(destination[0], HERE))
    if peer[0] != expected:
        net.log("mismatch", peer[0], "instead of", expected)
        send_reply(client, userid, "second", None)
    elif send_reply(client, userid, "second", peer, other, awaited.tell):
        relay(client, other)


def handle(client):
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if SCENARIO.startswith("deaf"):
        if SCENARIO == "deaf-rst":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    request = read_request(client)
    if not request:
        return
    command, destination, userid = request
    name = {1: "connect", 2: "bind"}.get(command, command)
    net.log(name, net.text(destination), userid, "from", net.text(client.getpeername()))
    if client in select.select([client], [], [], 0)[0] and (early := client.recv(65536, socket.MSG_PEEK)):
        net.log("early", early)
    (connect if command == 1 else bind)(client, destination, userid)


net.serve("faulty_socks", HERE, handle)
