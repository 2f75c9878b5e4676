# SPDX-License-Identifier: MIT
"""Steps that wait: poll, select and epoll in all their forms."""
from state import State
from vocabulary import EVENTS, MODES


class WaitSteps(State):
    # Each step returns False if no socket fits it.

    def poll(self):
        names = [name for name in self.sockets if not self.bound(name)]
        names = self.random.sample(names, min(len(names), self.random.randint(1, 3)))
        if self.sets and self.random.random() < 0.3:
            names += self.random.sample(self.sets, self.random.randint(1, len(self.sets)))
        if not names:
            return False
        verb = self.random.choice("poll ppoll poll select pselect".split())
        limit = self.random.choice([0, 0, 0, 15])
        events = ["IN", "OUT", "IN|OUT", "IN|OUT|PRI"] if "select" in verb else EVENTS
        self.say(verb, limit, *(f"{name}:{self.random.choice(events)}" for name in names))

    def epoll(self):
        if len(self.sets) > 2:
            return False
        name = f"e{len(self.sets)}"
        self.say("epoll", name)
        self.sets.append(name)

    def control(self):
        names = [name for name in self.sockets if not self.bound(name) and name not in self.inherited]
        if not self.sets or not names:
            return False
        epfd = self.random.choice(self.sets)
        name = self.random.choice(names)
        if len(self.sets) > 1 and self.random.random() < 0.2:
            name, epfd = sorted(self.random.sample(self.sets, 2))
        if name in self.sockets:
            self.sockets[name]["registered"] = True
        self.say("ctl", epfd, self.random.choice(["add", "add", "add", "mod", "mod", "del"]), name,
                 self.random.choice(EVENTS) + self.random.choice(MODES))

    def look_at_all(self):
        if len(self.sockets) > 1:
            unbound = [name for name in self.sockets if not self.bound(name)]
            self.say("poll", 0, *(f"{name}:OUT" for name in unbound))

    def wait(self):
        if not self.sets:
            return False
        self.look_at_all()
        size = "" if self.random.random() < 0.9 else self.random.choice([0, -1, 1, 2])
        self.say(self.random.choice(["wait", "wait", "pwait", "pwait2"]), self.random.choice(self.sets),
                 self.random.choice([0, 0, 0, 15]), size if len(self.sockets) < 2 else "")

    def crowd(self):
        if not self.sets:
            return False
        self.look_at_all()
        self.say("crowd", self.random.choice(self.sets))

    WAIT_STEPS = {poll: 16, epoll: 4, control: 10, wait: 12, crowd: 3}
