#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the #includes of the product: folders depend in one direction only, and no file includes itself in a circle.

usage: layers.py TOP        prints one line for each fault; exit status 1 if there is any
"""
import pathlib
import re
import sys

# Each folder may include those in the lines below its own. `handshake` and `names` share a level: of the two only
# handshake may include names.
SHIM = ["hooks", "process", "calls", "handshake", "names", "sockets", "config", "kernel", "base"]
# What the tools take from the library: the parts without state. Tools do not include one another.
TOOLS = {
    "socks4d": {"socks4d", "common", "base"},
    "with_server": {"with_server", "common", "base"},
    "check": {"check", "common", "base", "config"},
    "launcher": {"launcher", "common", "base", "config"},
    "common": {"common", "base"},
}


def allowed(folder):
    if folder in TOOLS:
        return TOOLS[folder]
    return set(SHIM[SHIM.index(folder):])


def includes_of(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


def circle_from(name, graph, clear, above=()):
    """The names of a circle of includes that `name` leads to, or nothing. `clear` collects those that lead to none."""
    if name in above:
        return above[above.index(name):] + (name,)
    if name in clear:
        return None
    for included in graph.get(name, ()):
        if circle := circle_from(included, graph, clear, above + (name,)):
            return circle
    clear.add(name)
    return None


def faults(top):
    graph = {}
    for root in ("shim", "tools"):
        for path in sorted((top / root).rglob("*")):
            if path.suffix not in (".h", ".cc"):
                continue
            name = str(path.relative_to(top / root))
            graph[name] = includes_of(path)
            for included in graph[name]:
                folder = included.split("/")[0]
                if "/" not in included or not ((top / "shim" / included).exists() or (top / "tools" / included).exists()):
                    yield f"{name} includes {included}: write FOLDER/FILE.h"
                elif folder not in allowed(name.split("/")[0]):
                    yield f"{name} includes {included}: upwards"
    clear = set()
    for name in graph:
        if circle := circle_from(name, graph, clear):
            yield "circle: " + " > ".join(circle)
            return


found = list(faults(pathlib.Path(sys.argv[1])))
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
