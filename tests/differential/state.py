# SPDX-License-Identifier: MIT
"""What the steps of a random script share: roughly what each socket is."""
import random
from vocabulary import BY_SYSCALL, BY_THREAD


class State:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.sockets, self.sets, self.made = [], {}, [], 0
        self.inherited = set()

    def say(self, verb, *words):
        """A step; now and then by syscall(2) or by another thread."""
        chance = self.random.random()
        how = "raw." if chance < 0.12 and verb in BY_SYSCALL else "thread." if chance > 0.93 and verb in BY_THREAD else ""
        self.lines.append(how + " ".join(str(word) for word in (verb, *words) if word != ""))

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

    def bound(self, name):
        return self.sockets[name]["state"] == "bound"
