# SPDX-License-Identifier: MIT
"""Random sequences of socket calls, the same for the same seed. They make sense most of the time: it is known roughly
what each socket is, and a step is chosen that fits; now and then one that does not.

What is left out, because the kernel does not promise the same twice or because the manual says that it differs:

- sockets that block have time limits: a script always ends;
- a listening socket is called once (a BIND takes one call), and only after listen() (a BIND waits from getsockname() on);
- what is bound, and is to become a BIND, is asked for its name, made to listen or connected: it has no connection yet,
  while a program that sends and receives there is not a program that somebody has written;
- a child connects, binds, listens and ends on sockets of its own: the parent does not hear of it from the library;
- partners that reset at once: a SOCKS server may hear of that before its reply, and refuse, or after;
- data goes along with the connection only to partners that do not close at once: else it may come before or after;
- recv() of nothing on a socket that is still connecting, which waits for SO_RCVTIMEO and then says 0;
- shutdown() before connect() or after a reset: the kernel remembers it, and the request cannot be sent;
- before epoll_wait() on one of several sockets, poll() looks at all: the connection that has just been made is otherwise
  told by the next wait where there is something else to tell by this one.
"""
import random

KINDS = ["echo"] * 6 + ["greet"] * 4 + ["half"] * 3 + ["closer"] * 3 + ["silent"] * 2 + ["reset"] * 4 + \
        ["caller"] * 4 + ["slow"] * 3 + ["closed"] * 5
EVENTS = "IN OUT IN|OUT IN|RDHUP IN|OUT|RDHUP OUT|RDHUP IN|PRI|OUT|RDHUP RDNORM|WRNORM 0".split()
MODES = ["", "", "|ET", "|ET", "|ONESHOT", "|ET|ONESHOT"]
OPTIONS = {"RCVLOWAT": [1, 3, 8, 20], "REUSEADDR": [0, 1], "KEEPALIVE": [0, 1], "NODELAY": [0, 1], "OOBINLINE": [0, 1],
           "LINGER": [-1, 0, 1], "KEEPIDLE": [30], "SYNCNT": [3], "USER_TIMEOUT": [5000], "TOS": [16]}
READS = ["recv"] * 4 + "recvfrom recvmsg recvmmsg read readv".split()
SENDS = ["send"] * 4 + "sendto sendmsg sendmmsg write writev".split()
READ_FLAGS = ["-"] * 4 + "PEEK DONTWAIT PEEK|DONTWAIT WAITALL TRUNC".split()
SEND_FLAGS = ["-"] * 3 + "NOSIGNAL DONTWAIT DONTWAIT|NOSIGNAL".split()


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.sockets, self.sets, self.made = [], {}, [], 0
        self.inherited = set()

    def say(self, *words):
        self.lines.append(" ".join(str(word) for word in words if word != ""))

    def name(self):
        self.made += 1
        return str(self.made - 1)

    def any_of(self, *states):
        """A socket in one of these states (any, if none is named), or None."""
        names = [name for name, it in self.sockets.items() if not states or it["state"] in states]
        return self.random.choice(names) if names else None

    def own(self, *states):
        """The same, of the sockets that this process has made."""
        names = [name for name, it in self.sockets.items() if it["state"] in states and name not in self.inherited]
        return self.random.choice(names) if names else None

    # Each step below says False if there is nothing that it fits.

    def socket(self):
        if len(self.sockets) > 5:
            return False
        name, it = self.name(), {"state": "fresh", "kind": "", "limits": True, "called": False}
        nonblock = self.random.random() < 0.6
        flags = "|".join(["nonblock"] * nonblock + ["cloexec"] * (self.random.random() < 0.2))
        self.say("socket", name, self.random.choice(["inet", "inet", "inet", "inet6"]), flags)
        if nonblock and self.random.random() < 0.5:
            it["limits"] = False
        else:
            self.say("set", name, "RCVTIMEO", 30)
            self.say("set", name, "SNDTIMEO", 200)
        it["nonblock"] = nonblock
        self.sockets[name] = it

    def events(self, name, choice):
        return self.random.choice(choice)

    def bound(self, name):
        return self.sockets[name]["state"] == "bound"

    def connect(self):
        wild = self.random.random() < 0.15
        name = self.own("connected", "listening") if wild else self.own("fresh", "bound")
        if not name:
            return False
        it = self.sockets[name]
        kind = self.random.choice(KINDS)
        if kind == "slow" and not it["nonblock"] and self.random.random() < 0.7:
            kind = "echo"
        if self.random.random() < 0.04:
            kind = self.random.choice(["unspec", "short", "unspec"])
        if kind in ("echo", "greet", "silent", "slow", "closed") and it["state"] == "fresh" and self.random.random() < 0.08:
            self.say(self.random.choice(["fastopen", "fastopenmsg"]), name, kind, self.random.randint(0, 9),
                     self.random.choice(SEND_FLAGS))
        else:
            self.say("connect", name, kind)
        if kind == "unspec":
            it["state"] = "fresh"
        elif it["state"] in ("fresh", "bound") and kind not in ("short", "unix"):
            it["state"], it["kind"] = "connected", kind

    def again(self):
        name = self.own("connected")
        if not name:
            return False
        self.say("connect", name, self.sockets[name]["kind"] or "echo")

    def target(self):
        """Whom to send to or read from."""
        if self.random.random() < 0.1:
            return self.any_of("connected", "fresh", "listening", "listening")
        return self.any_of("connected")

    def send(self):
        name = self.target()
        if not name or self.sockets[name]["kind"] == "caller":
            return False
        verb = self.random.choice(SENDS)
        self.say(verb, name, self.random.choice([0, 1, 2, 5, 9, 30]), "" if verb.startswith("write")
                 else self.random.choice(SEND_FLAGS))

    def receive(self):
        name = self.target()
        if not name:
            return False
        verb = self.random.choice(READS)
        least = int(verb.startswith("recv") and self.sockets[name]["kind"] == "slow")
        self.say(verb, name, self.random.choice([least, 1, 3, 6, 20, 100]), "" if verb.startswith("read")
                 else self.random.choice(READ_FLAGS))

    def option(self):
        name = self.any_of()
        if not name:
            return False
        option = self.random.choice(sorted(OPTIONS))
        if self.random.random() < 0.5:
            self.say("set", name, option, self.random.choice(OPTIONS[option]))
        else:
            self.say("get", name, self.random.choice([option, "TYPE", "DOMAIN", "PROTOCOL", "ACCEPTCONN", "RCVTIMEO", "SNDTIMEO"]))

    def error(self):
        name = self.any_of()
        if not name:
            return False
        self.say("get", name, "ERROR")

    def names(self):
        name = self.any_of()
        if not name:
            return False
        room = "" if self.random.random() < 0.85 else self.random.choice([0, 4, 16, 28])
        self.say(self.random.choice(["name", "peer", "peer"]), name, room)

    def ask(self):
        names = [name for name in self.sockets if not self.bound(name)]
        names = self.random.sample(names, min(len(names), self.random.randint(1, 3)))
        names += self.sets[:1] if self.random.random() < 0.15 else []
        if not names:
            return False
        verb = self.random.choice("poll ppoll poll select pselect".split())
        limit = self.random.choice([0, 0, 0, 15])
        events = ["IN", "OUT", "IN|OUT", "IN|OUT|PRI"] if "select" in verb else EVENTS
        self.say(verb, limit, *(f"{name}:{self.events(name, events)}" for name in names))

    def epoll(self):
        if len(self.sets) > 1:
            return False
        name = f"e{len(self.sets)}"
        self.say("epoll", name)
        self.sets.append(name)

    def control(self):
        names = [name for name in self.sockets if not self.bound(name)]
        if not self.sets or not names:
            return False
        epfd = self.random.choice(self.sets)
        name = self.random.choice(names)
        if len(self.sets) > 1 and self.random.random() < 0.1:
            epfd, name = "e0", "e1"
        self.say("ctl", epfd, self.random.choice(["add", "add", "add", "mod", "mod", "del"]), name,
                 self.events(name, EVENTS) + self.random.choice(MODES))

    def wait(self):
        if not self.sets:
            return False
        if len(self.sockets) > 1:
            self.say("poll", 0, *(f"{name}:{self.events(name, ['OUT'])}" for name in self.sockets if not self.bound(name)))
        size = "" if self.random.random() < 0.9 else self.random.choice([0, -1, 1, 2])
        self.say(self.random.choice(["wait", "wait", "pwait", "pwait2"]), self.random.choice(self.sets),
                 self.random.choice([0, 0, 0, 15]), size if len(self.sockets) < 2 else "")

    def end(self):
        name = self.own("connected") if self.random.random() < 0.9 else self.own("listening")
        if not name:
            return False
        self.say("shutdown", name, self.random.choice(["RD", "WR", "WR", "WR", "RDWR"]))

    def flags(self):
        name = self.any_of()
        if not name:
            return False
        it = self.sockets[name]
        way = self.random.choice(["getfl", "setfl", "fionbio"])
        if way == "getfl" or not it["limits"]:
            return self.say("getfl", name)
        it["nonblock"] = self.random.random() < 0.5
        if way == "setfl":
            self.say("setfl", name, "nonblock" if it["nonblock"] else "block")
        else:
            self.say("fionbio", name, int(it["nonblock"]))

    def readable(self):
        name = self.any_of()
        if not name or self.bound(name):
            return False
        self.say("fionread", name)

    def dup(self):
        name = self.any_of()
        if not name or len(self.sockets) > 6:
            return False
        verb = self.random.choice(["dup", "dupfd", "dup2"])
        other = self.any_of() if verb == "dup2" else None
        if other is None or other == name:
            other = self.name()
        self.say(verb, name, other)
        (self.inherited.add if name in self.inherited else self.inherited.discard)(other)
        self.sockets[other] = self.sockets[name] # one socket: one state

    def close(self):
        name = self.any_of()
        if not name or (len(self.sockets) < 3 and self.random.random() < 0.5):
            return False
        self.say("close", name)
        del self.sockets[name]

    def bind(self):
        name = self.own("fresh")
        if not name:
            return False
        control = self.any_of("connected")
        where = self.random.choice(["any", "any", "any", "loop", "taken", "reported"])
        if where == "reported" and not control:
            where = "any"
        self.say("bind", name, where, control if where == "reported" else "")
        if where != "taken":
            self.sockets[name]["state"] = "bound"
            if self.random.random() < 0.7:
                self.say("name", name)
            if self.random.random() < 0.8:
                self.listen()

    def listen(self):
        name = self.own("bound", "bound", "fresh")
        if not name:
            return False
        self.say("listen", name, self.random.choice([0, 1, 5]))
        self.sockets[name]["state"] = "listening"

    def call(self):
        controls = [name for name, it in self.sockets.items() if it["kind"] == "caller" and it["state"] == "connected"]
        listeners = [name for name, it in self.sockets.items() if it["state"] == "listening" and not it["called"]]
        if not controls or not listeners:
            return False
        listener = self.random.choice(listeners)
        self.say("call", self.random.choice(controls), listener)
        self.sockets[listener]["called"] = True

    def accept(self):
        name = self.any_of("listening") if self.random.random() < 0.95 else self.any_of()
        if not name or self.bound(name) or len(self.sockets) > 7:
            return False
        made = self.name()
        self.say("accept", name, made, self.random.choice(["", "", "cloexec", "nonblock", "nonblock|cloexec"]))
        self.say("set", made, "RCVTIMEO", 30)
        self.say("set", made, "SNDTIMEO", 200)
        self.sockets[made] = {**self.sockets[name], "state": "connected", "kind": "call", "limits": True, "nonblock": False}

    def fork(self):
        if "fork" in self.lines or self.random.random() < 0.6:
            return False
        before = {name: dict(it) for name, it in self.sockets.items()}
        sets = list(self.sets)
        self.say("fork")
        self.inherited = set(self.sockets)
        for _ in range(self.random.randint(1, 5)):
            self.step()
        self.say("end")
        self.inherited = set()
        called = {name for name, it in self.sockets.items() if it["called"]}
        self.sockets, self.sets = before, sets
        for name in called & set(before):
            before[name]["called"] = True

    STEPS = {socket: 6, connect: 12, again: 3, send: 12, receive: 14, option: 5, error: 6, names: 7, ask: 16, epoll: 3,
             control: 9, wait: 12, end: 5, flags: 3, readable: 4, dup: 3, close: 3, bind: 4, listen: 2, call: 8, accept: 8,
             fork: 3}

    def step(self):
        steps, weights = zip(*self.STEPS.items())
        for _ in range(20):
            if self.random.choices(steps, weights)[0](self) is not False:
                return


def generate(seed):
    """The lines of the script of this seed."""
    it = Generator(seed)
    it.socket()
    if it.random.random() < 0.3: # a primary connection, for BIND
        it.sockets["0"].update(kind="caller", state="connected")
        it.say("connect", "0", "caller")
    while len(it.lines) < 8 + seed % 25:
        it.step()
    return it.lines
