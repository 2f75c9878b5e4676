# SPDX-License-Identifier: MIT
"""ftpserver.py IP DIRECTORY [PORT]: anonymous FTP, reading and writing; logs peers, commands and data connections."""
import logging
import sys
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.servers import FTPServer
import net

HERE = sys.argv[1]


class Data(DTPHandler):
    def __init__(self, sock, channel):
        net.log("peer", net.text(sock.getpeername()), "data")
        super().__init__(sock, channel)


class Control(FTPHandler):
    dtp_handler = Data

    def on_connect(self):
        net.log("peer", net.text((self.remote_ip, self.remote_port)), "control")

    def pre_process_command(self, line, cmd, arg):
        net.log("command", line)
        super().pre_process_command(line, cmd, arg)

    def _make_eport(self, ip, port):
        super()._make_eport(net.real(ip, HERE), port)


logging.basicConfig(level=logging.WARNING, stream=sys.stdout)
Control.authorizer = DummyAuthorizer()
Control.authorizer.add_anonymous(sys.argv[2], perm="elradfmw")
server = FTPServer((HERE, int(sys.argv[3]) if len(sys.argv) > 3 else 0), Control)
net.log("ftpserver: listening on", net.text(server.socket.getsockname()))
server.serve_forever(handle_exit=False)
