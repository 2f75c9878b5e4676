# SPDX-License-Identifier: MIT
"""Steps that ask about a socket or change it: options, names, flags."""
from state import State
from vocabulary import OPTIONS, QUESTIONS


class OptionSteps(State):
    # Each step returns False if no socket fits it.

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
        self.say(self.random.choice(["name", "name", "peer", "peer"]), name, room)

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

    OPTION_STEPS = {option: 5, error: 6, names: 9, flags: 3}
