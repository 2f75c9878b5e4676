# SPDX-License-Identifier: MIT
"""Steps of a socket's life: socket, bind, connect, listen, accept, shutdown, dup, close."""
from state import State
from vocabulary import KINDS, SEND_FLAGS


class SocketSteps(State):
    # Each step returns False if no socket fits it.

    def socket(self):
        if len(self.sockets) > 5:
            return False
        name, it = self.name(), {"state": "fresh", "kind": "", "limits": True, "called": False, "registered": False}
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
            kind = "short"
        if kind in ("echo", "greet", "silent", "slow", "closed") and it["state"] == "fresh" and self.random.random() < 0.08:
            self.say(self.random.choice(["fastopen", "fastopenmsg"]), name, kind, self.random.randint(0, 9),
                     self.random.choice(SEND_FLAGS))
        else:
            self.say("connect", name, kind)
        if it["state"] in ("fresh", "bound") and kind != "short":
            it["state"], it["kind"] = "connected", kind

    def again(self):
        name = self.own("connected")
        if not name:
            return False
        self.say("connect", name, self.sockets[name]["kind"] or "echo")

    def disconnect(self):
        name = self.own("fresh", "bound", "connected", "connected", "listening")
        if not name:
            return False
        self.say("connect", name, "unspec")
        if not self.bound(name):
            self.sockets[name].update(state="fresh", called=False)

    def end(self):
        name = self.own("connected") if self.random.random() < 0.9 else self.own("listening")
        if not name:
            return False
        self.say("shutdown", name, self.random.choice(["RD", "WR", "WR", "WR", "RDWR"]))

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
            if self.sockets[name]["registered"] or self.random.random() < 0.8:
                self.listen(name)

    def listen(self, name=None):
        name = name or self.own("bound", "bound", "fresh")
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

    def more(self):
        """The caller sends more before its call is accepted."""
        controls = [name for name, it in self.sockets.items() if it["kind"] == "caller" and it["state"] == "connected"]
        listeners = [name for name, it in self.sockets.items() if it["state"] == "listening" and it["called"]]
        if not controls or not listeners:
            return False
        self.say("say", self.random.choice(controls), self.random.choice(listeners))

    SOCKET_STEPS = {socket: 6, connect: 12, again: 3, disconnect: 2, end: 5, dup: 3, close: 3, bind: 4, listen: 2, call: 8,
                    more: 4, accept: 8}
