# SPDX-License-Identifier: MIT
"""Steps that move bytes."""
from state import State
from vocabulary import READ_FLAGS, READS, SEND_FLAGS, SENDS


class DataSteps(State):
    # Each step returns False if no socket fits it.

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

    def readable(self):
        name = self.any_of()
        if not name or self.bound(name):
            return False
        self.say("fionread", name)

    DATA_STEPS = {send: 12, receive: 14, readable: 4}
