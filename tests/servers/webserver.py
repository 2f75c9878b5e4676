# SPDX-License-Identifier: MIT
"""webserver.py IP DIRECTORY: serves the files of a directory and logs its clients."""
import functools
import http.server
import sys
import net


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        net.log("peer", net.text(self.client_address), format % args)


server = http.server.ThreadingHTTPServer((sys.argv[1], 0), functools.partial(Handler, directory=sys.argv[2]))
net.log("webserver: listening on", net.text(server.server_address))
server.serve_forever()
