# SPDX-License-Identifier: MIT
"""run.py [--seeds FIRST COUNT] [--script FILE]... : random socket calls, directly and through the shim.

The same program plays each sequence twice against the same partners, and must print the same. If it does not, the
sequence is played again. If the kernel itself varies, it is dropped and counted. If the difference stays, it is shrunk
to the fewest steps and printed with both outputs.

    --player PROGRAM    --library libsocksify.so    --socks IP:PORT    --partners "KIND=IP:PORT ..."
    --jobs N            sequences at a time         --seconds N        start no sequence after this time
    --show SEED         prints the sequence instead
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time
from generate import generate

# Allowed differences that one step shows: the step, its outcome directly and through the shim. text.h and connect_step()
# hide others, and generate.py avoids the rest.
ALLOWED = [
    # Asked for no bytes, tcp_recvmsg() waits for some and then succeeds; through the shim the call times out.
    (r"recv(msg|from)? \d+ 0 .*", r"0 ''", "EAGAIN"),
]

REPEATS = 4


class Sides:
    def __init__(self, options):
        plain = {name: value for name, value in os.environ.items() if not re.search("socks|proxy$", name, re.I)}
        self.player = options.player
        self.direct = {**plain, "PARTNERS": options.partners}
        self.direct.pop("LD_PRELOAD", None)
        self.through = {**self.direct, "LD_PRELOAD": options.library, "SOCKS_SERVER": options.socks,
                        "SOCKSIFY_LOOPBACK": "proxy", "SOCKS_USER": "differential"}

    def play(self, lines, environment):
        played = subprocess.run([self.player], input="\n".join(lines) + "\n", env=environment, capture_output=True,
                                text=True, errors="replace", timeout=120)
        printed = played.stdout.splitlines()
        return printed if played.returncode == 0 and not played.stderr else \
            printed + [f"the player -> ends with {played.returncode} {played.stderr.strip()}"]

    def differ(self, lines):
        """Both outputs if they differ repeatedly, None if they are equal, "" if one side alone varies."""
        direct, through = self.play(lines, self.direct), self.play(lines, self.through)
        if same(direct, through):
            return None
        again = [self.play(lines, self.direct) for _ in range(REPEATS)]
        if any(not same(direct, other) for other in again):
            return ""
        again = [self.play(lines, self.through) for _ in range(REPEATS)]
        return (direct, through) if any(not same(direct, other) for other in again) else ""


def split(line):
    step, _, outcome = line.partition(" -> ")
    return step, outcome


def is_allowed(one, other):
    step, direct = split(one)
    through = split(other)[1]
    return any(re.fullmatch(allowed[0], step) and re.fullmatch(allowed[1], direct) and re.fullmatch(allowed[2], through)
               for allowed in ALLOWED)


def same(direct, through):
    return len(direct) == len(through) and all(one == other or is_allowed(one, other) for one, other in zip(direct, through))


def shrink(sides, lines):
    """Removes steps, in ever smaller pieces, as long as the outputs differ."""
    seen = sides.differ(lines)
    size = max(1, len(lines) // 2)
    while seen:
        shorter = False
        first = 0
        while first < len(lines):
            fewer = lines[:first] + lines[first + size:]
            found = sides.differ(fewer) if fewer else None
            if found:
                lines, seen, shorter = fewer, found, True
            else:
                first += size
        if size == 1 and not shorter:
            break
        size = max(1, size // 2)
    return lines, seen


def show(title, length, lines, seen):
    print(f"{title}: {len(lines)} of {length} steps are enough")
    direct, through = ([split(line) for line in side] for side in seen)
    print(f"      {'step':34} {'directly':34} through the shim")
    for i in range(max(len(direct), len(through))):
        step = (direct + [("", "")] * len(through))[i][0] or through[i][0]
        left, right = (side[i][1] if i < len(side) else "(nothing)" for side in (direct, through))
        print(f"    {' ' if left == right else '*'} {step:34} {left:34} {right}", flush=True)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 0))
    parser.add_argument("--script", action="append", default=[])
    for name in "player library socks partners".split():
        parser.add_argument("--" + name, default="")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--show", type=int)
    return parser.parse_args()


def scripts(options):
    for path in options.script:
        with open(path, encoding="ascii") as file:
            yield os.path.basename(path), [line.strip() for line in file if line.strip() and line[0] != "#"]
    first, count = options.seeds
    for seed in range(first, first + count):
        yield f"seed {seed}", generate(seed)


def main():
    options = arguments()
    if options.show is not None:
        return print("\n".join(generate(options.show)))
    sides, began = Sides(options), time.monotonic()
    played, steps, bad, dropped = 0, 0, [], []

    def work(title, lines):
        return (title, lines, sides.differ(lines)) if time.monotonic() - began < options.seconds else (title, lines, False)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for title, lines, seen in pool.map(lambda it: work(*it), scripts(options)):
            if seen is False:
                continue
            played += 1
            steps += len(lines)
            if seen == "":
                dropped.append(title)
            elif seen:
                bad.append((title, lines))
                print(f"{title} differs", flush=True)
    for title, lines in bad[:8]:
        fewest, seen = shrink(sides, lines)
        if seen:
            show(title, len(lines), fewest, seen)
        else: # it does not happen again: the seed is reported
            dropped.append(title + ", not again")
    bad = [one for one in bad if one[0] + ", not again" not in dropped]
    print(f"{played} sequences from seed {options.seeds[0]}, {steps} steps: {len(bad)} different, {len(dropped)} dropped"
          + (f" ({', '.join(dropped[:8])})" if dropped else ""))
    sys.exit(1 if bad or not played else 0)


main()
