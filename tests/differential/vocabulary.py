# SPDX-License-Identifier: MIT
"""The arguments that generate.py chooses from. What stands there several times is chosen more often."""
KINDS = ["echo"] * 6 + ["greet"] * 4 + ["half"] * 3 + ["closer"] * 3 + ["silent"] * 2 + ["reset"] * 4 + \
        ["caller"] * 4 + ["slow"] * 3 + ["closed"] * 5
EVENTS = "IN OUT IN|OUT IN|RDHUP IN|OUT|RDHUP OUT|RDHUP IN|PRI|OUT|RDHUP RDNORM|WRNORM 0".split()
MODES = ["", "", "|ET", "|ET", "|ONESHOT", "|ET|ONESHOT"]
OPTIONS = {"RCVLOWAT": [1, 3, 8, 20], "REUSEADDR": [0, 1], "KEEPALIVE": [0, 1], "NODELAY": [0, 1], "OOBINLINE": [0, 1],
           "LINGER": [-1, 0, 1], "KEEPIDLE": [30], "SYNCNT": [3], "USER_TIMEOUT": [5000], "TOS": [16]}
QUESTIONS = "TYPE DOMAIN PROTOCOL ACCEPTCONN RCVTIMEO SNDTIMEO".split()
READS = ["recv"] * 4 + "recvfrom recvmsg recvmmsg read readv".split()
SENDS = ["send"] * 4 + "sendto sendmsg sendmmsg write writev".split()
READ_FLAGS = ["-"] * 4 + "PEEK DONTWAIT PEEK|DONTWAIT WAITALL TRUNC".split()
SEND_FLAGS = ["-"] * 3 + "NOSIGNAL DONTWAIT DONTWAIT|NOSIGNAL".split()
# Verbs that are system calls with a hook; verbs that another thread can play.
BY_SYSCALL = {*READS, *SENDS, *"bind connect listen accept shutdown name peer set get poll ppoll select pselect ctl wait".split(),
              "pwait", "pwait2"}
BY_THREAD = {*BY_SYSCALL, *"close dup dup2 epoll fionread setfl socket".split()}
