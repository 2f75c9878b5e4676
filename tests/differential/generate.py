# SPDX-License-Identifier: MIT
"""Random sequences of socket calls, the same for the same seed. Most of them make sense: the generator tracks roughly
what each socket is, and chooses a step that fits; sometimes it chooses one that does not.

It avoids what the kernel does not do the same every time, and what the manual documents as different:

- Blocking sockets have time limits, so that a script always ends.
- A listening socket is called once (a BIND takes one call), and only after listen(), while a BIND
  waits from getsockname() on.
- A bound socket that becomes a BIND is only asked for its name, made to listen or connected: no program sends
  there. If it is registered in a set it listens at once, because the set does not report the hang-up of a bound socket.
- A child connects, binds, listens, registers and ends on its own sockets: the library does not tell the parent.
- A thread that is cancelled connects fresh sockets, accepts from listening ones, and reads and writes on connections. The
  library fails other calls without the kernel, so that they are no cancellation points.
- No partner resets at once: a SOCKS server may notice before its reply, and refuse, or after it.
- Data goes along with the connection only to partners that do not close at once: it could arrive before or after that.
- No recv() of zero bytes on a socket that is still connecting: it waits for SO_RCVTIMEO and then returns 0.
- No shutdown() before connect() or after a reset: the kernel remembers it, and the request could not be sent.
- poll() looks at all sockets before epoll_wait() on one of several sets. Otherwise a connection that has just been made
  could be reported by the next wait, if this one has something else to report.
"""
import copy
from data_steps import DataSteps
from option_steps import OptionSteps
from socket_steps import SocketSteps
from vocabulary import KINDS, READS, SENDS
from wait_steps import WaitSteps


class Generator(SocketSteps, DataSteps, OptionSteps, WaitSteps):
    def fork(self):
        if "fork" in self.lines or self.random.random() < 0.6:
            return False
        before = copy.deepcopy(self.sockets) # which keeps dups together
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

    def cancelled(self):
        """A call by a thread that is cancelled already: nothing happens, and no state changes."""
        fresh, connected, listening = self.own("fresh"), self.any_of("connected"), self.any_of("listening")
        calls = [f"connect {fresh} {self.random.choice(KINDS)}"] if fresh else []
        calls += [f"accept {listening} nobody", f"poll 15 {listening}:IN"] if listening else []
        calls += [f"{self.random.choice(READS)} {connected} 5", f"{self.random.choice(SENDS)} {connected} 5",
                  f"{self.random.choice(['poll', 'select'])} 15 {connected}:IN|OUT"] if connected else []
        calls += [f"{self.random.choice(['wait', 'pwait', 'pwait2'])} {name} 15" for name in self.sets]
        if not calls:
            return False
        self.lines.append("cancel." + self.random.choice(calls))

    STEPS = {**SocketSteps.SOCKET_STEPS, **DataSteps.DATA_STEPS, **OptionSteps.OPTION_STEPS, **WaitSteps.WAIT_STEPS,
             fork: 3, cancelled: 4}

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
