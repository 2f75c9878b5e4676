#!/bin/bash
# SPDX-License-Identifier: MIT
# Rare things that programs do with connections: tests/programs/connect/edges, plug-ins, a log that nobody reads.
. "${0%/*}/../../lib/harness.sh"

edge() { client edges "$1"; }

# Found by its RUNPATH, as plug-ins are, and asked to use its own libc functions.
plugin() {
  mkdir -p plugins
  gcc -shared -fPIC -o plugins/plugin.so -x c - <<'END'
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>
int fetch(const char* ip, const char* port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  char text[256];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, ip, &address.sin_addr);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0)
    return 1;
  return write(1, text, read(fd, text, sizeof text)) < 0;
}
END
  gcc -D_GNU_SOURCE -o host -Wl,-rpath,"$WORK/plugins" -x c - <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char** argv) {
  void* plugin = dlopen("plugin.so", RTLD_NOW | RTLD_DEEPBIND);
  if (!plugin || argc != 3)
    return puts(dlerror()), 2;
  return ((int (*)(const char*, const char*))dlsym(plugin, "fetch"))(argv[1], argv[2]);
}
END
  through ./host "${APP%:*}" "${APP#*:}" >got
  has got "^app $PEER:"
  saw_only_peer app
}

# The pipe's reader has gone, and SIGPIPE would end the program.
survives_its_log() {
  SOCKS_DEBUG=3 through "$python" -c '
import os, sys
read, write = os.pipe()
os.dup2(write, 2)
os.execv(sys.executable, [sys.executable, "-c", """
import signal, socket, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
print(socket.create_connection((sys.argv[1], int(sys.argv[2]))).recv(3).decode())
""", *sys.argv[1:]])
' "${APP%:*}" "${APP#*:}" >got
  has got '^app$'
}

start_app
start_socks4d
for edge in read_by_another_thread own_port_at_once any_address; do check "$edge" edge "$edge"; done
SOCKSIFY_LOOPBACK=direct check "multicast and broadcast are the kernel's to refuse" edge multicast
check "io_uring is not there" edge io_uring
for dns in auto remote local; do SOCKSIFY_DNS=$dns check "an address as a host name, SOCKSIFY_DNS=$dns" edge numeric_host; done
if [ -n "$runtime" ]; then
  skip "a plug-in that asks for its own libc functions" "a sanitizer refuses to load it"
else
  check "a plug-in that asks for its own libc functions" plugin
fi
check "a log that nobody reads" survives_its_log
