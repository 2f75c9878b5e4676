# SPDX-License-Identifier: MIT
"""Random sequences of socket calls, the same for the same seed. Most of them make sense: the generator tracks roughly
what each socket is, and chooses a step that fits; sometimes it chooses one that does not.

It avoids what the kernel does not do the same every time, and what the manual documents as different:

- Blocking sockets have time limits, so that a script always ends.
- A listening socket is called once (a BIND takes one call), and only after listen(), while a BIND
  waits from getsockname() on.
- A bound socket that becomes a BIND is only asked for its name, made to listen or connected: no program sends there.
- A child connects, binds, listens and ends on its own sockets: the library does not tell the parent.
- No partner resets at once: a SOCKS server may notice before its reply, and refuse, or after it.
- Data goes along with the connection only to partners that do not close at once: it could arrive before or after that.
- No recv() of zero bytes on a socket that is still connecting: it waits for SO_RCVTIMEO and then returns 0.
- No shutdown() before connect() or after a reset: the kernel remembers it, and the request could not be sent.
- poll() looks at all sockets before epoll_wait() on one of several sets. Otherwise a connection that has just been made
  could be reported by the next wait, if this one has something else to report.
"""
import random
from vocabulary import EVENTS, KINDS, MODES, OPTIONS, QUESTIONS, READ_FLAGS, READS, SEND_FLAGS, SENDS


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
        """A socket in one of these states, or in any state if none is given; or None."""
        names = [name for name, it in self.sockets.items() if not states or it["state"] in states]
        return self.random.choice(names) if names else None

    def own(self, *states):
        """The same among the sockets that this process has made."""
        names = [name for name, it in self.sockets.items() if it["state"] in states and name not in self.inherited]
        return self.random.choice(names) if names else None

    # Each step returns False if no socket fits it.

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
        """A socket to send to or read from."""
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
            self.say("get", name, self.random.choice([option, *QUESTIONS]))

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

    def poll(self):
        names = [name for name in self.sockets if not self.bound(name)]
        names = self.random.sample(names, min(len(names), self.random.randint(1, 3)))
        names += self.sets[:1] if self.random.random() < 0.15 else []
        if not names:
            return False
        verb = self.random.choice("poll ppoll poll select pselect".split())
        limit = self.random.choice([0, 0, 0, 15])
        events = ["IN", "OUT", "IN|OUT", "IN|OUT|PRI"] if "select" in verb else EVENTS
        self.say(verb, limit, *(f"{name}:{self.random.choice(events)}" for name in names))

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
                 self.random.choice(EVENTS) + self.random.choice(MODES))

    def wait(self):
        if not self.sets:
            return False
        if len(self.sockets) > 1:
            unbound = [name for name in self.sockets if not self.bound(name)]
            self.say("poll", 0, *(f"{name}:{self.random.choice(['OUT'])}" for name in unbound))
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
        self.sockets[other] = self.sockets[name] # one socket, one state

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

    STEPS = {socket: 6, connect: 12, again: 3, send: 12, receive: 14, option: 5, error: 6, names: 7, poll: 16, epoll: 3,
             control: 9, wait: 12, end: 5, flags: 3, readable: 4, dup: 3, close: 3, bind: 4, listen: 2, call: 8, accept: 8,
             fork: 3}

    def step(self):
        steps, weights = zip(*self.STEPS.items())
        for _ in range(20):
            if self.random.choices(steps, weights)[0](self) is not False:
                return


def generate(seed):
    """The lines of the script for this seed."""
    it = Generator(seed)
    it.socket()
    if it.random.random() < 0.3: # a primary connection, for BIND
        it.sockets["0"].update(kind="caller", state="connected")
        it.say("connect", "0", "caller")
    while len(it.lines) < 8 + seed % 25:
        it.step()
    return it.lines
