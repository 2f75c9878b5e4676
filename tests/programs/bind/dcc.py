# SPDX-License-Identifier: MIT
"""dcc.py SERVER PORT FILE received|refused COMMAND...: two irssi on one IRC network. COMMAND starts the one called "inside",
which offers FILE to "outside" by DCC, so that outside connects to inside. Then they chat by DCC; or the call is refused.
Each has its own home in the current directory. If something does not appear, their screens are printed."""

import os
import pty
import re
import select
import sys
import time
from pathlib import Path

PATIENCE = 60
SETTINGS = """settings = {{
  "irc/dcc" = {{ dcc_autoget = "yes"; dcc_autochat_masks = "*"; dcc_download_path = "{home}"; }};
  "fe-common/core" = {{ autocreate_windows = "no"; autocreate_query_level = ""; }};
}};
"""


class Client:
    def __init__(self, nick, command, server, port):
        home = Path(nick).resolve()
        home.mkdir()
        (home / "config").write_text(SETTINGS.format(home=home))
        self.nick, self.shown, self.read_until = nick, b"", 0
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", COLUMNS="120", LINES="40")
            os.execvp(command[0], [*command, f"--home={home}", "-c", server, "-p", port, "-n", nick])

    def type(self, line):
        os.write(self.terminal, line.encode() + b"\r")

    def text(self):
        """Its output without the control sequences of the terminal."""
        return re.sub(rb"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])", b"", self.shown)

    def expect(self, pattern, clients):
        """Waits until this appears after the last match. Meanwhile it reads from all clients, so that no pty fills up."""
        end = time.monotonic() + PATIENCE
        while True:
            found = re.compile(pattern).search(self.text(), self.read_until)
            if found:
                self.read_until = found.end()
                return found
            if time.monotonic() > end:
                sys.exit(f"{self.nick} does not show {pattern}, but:\n{self.text().decode(errors='replace')}")
            for terminal in select.select([client.terminal for client in clients], [], [], 1)[0]:
                client = next(client for client in clients if client.terminal == terminal)
                try:
                    client.shown += os.read(terminal, 65536)
                except OSError:
                    sys.exit(f"{client.nick} has ended:\n{client.text().decode(errors='replace')}")


def main():
    server, port, file, outcome, *command = sys.argv[1:]
    clients = [Client("outside", ["irssi"], server, port), Client("inside", [*command, "irssi"], server, port)]
    outside, inside = clients
    for client in clients:
        client.expect(rb"Welcome to the Internet Relay Network", clients)
    inside.type(f"/dcc send outside {file}")
    outside.expect(rb"DCC received file sent \[0B\]" if outcome == "refused" else rb"DCC received file", clients)
    if outcome == "received":
        inside.type("/dcc chat outside")
        outside.expect(rb"DCC CHAT connection with inside", clients)
        inside.type("/msg =outside are you there?")
        outside.expect(rb"are you there\?", clients)
    for client in clients:
        client.type("/quit")


main()
