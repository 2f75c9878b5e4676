#!/bin/bash
# SPDX-License-Identifier: MIT
# A program started with a different or empty environment still uses the server, and knows the sockets it inherits.
. "${0%/*}/../../lib/harness.sh"

mkdir site && echo page >site/page
start_web "$WORK/site"
# shellcheck disable=SC2119
start_socks4d
fetch=(/usr/bin/curl --noproxy '*' -sS "http://$WEB/page")

# A sanitizer's runtime needs variables that these environments lack.
chain() {
  local name=$1
  shift
  if [ -n "$runtime" ]; then skip "$name" "the runtime of the sanitizer needs its environment" && return; fi
  check "$name" fetches "$@"
}
fetches() {
  prints page through "$@"
  saw_only_peer web
}
script() { printf '%s\n' "${@:2}" >"$1"; }

chain "env -i" env -i "${fetch[@]}"
chain "env -u of each" env -u LD_PRELOAD -u SOCKSIFY_SERVER -u SOCKSIFY_LOOPBACK "${fetch[@]}"
chain "env -i, twice" env -i env -i A=b "${fetch[@]}"
chain "env -i, and a shell" env -i /bin/sh -c '"$@"; :' sh "${fetch[@]}"
chain "exec -c of bash" bash -c 'exec -c "$@"' bash "${fetch[@]}"
chain "a shell without the variable" /bin/sh -c 'unset LD_PRELOAD SOCKSIFY_SERVER SOCKSIFY_LOOPBACK; "$@"; :' sh "${fetch[@]}"
# shellcheck disable=SC2016 # not for this shell
chain "xargs env -i" sh -c 'echo "$1" | xargs env -i /usr/bin/curl --noproxy "*" -sS' sh "http://$WEB/page"
chain "find -exec env -i" find site -name page -exec env -i "${fetch[@]}" ';'
# shellcheck disable=SC2016
chain "perl, an empty environment" perl -e '%ENV = (); system { $ARGV[0] } @ARGV' "${fetch[@]}"
# shellcheck disable=SC2016
chain "perl, exec" perl -e '%ENV = (); exec { $ARGV[0] } @ARGV' "${fetch[@]}"
for call in 'subprocess.run(sys.argv[1:], env={})' 'os.execve(sys.argv[1], sys.argv[1:], {})' \
  'os.execvpe(sys.argv[1], sys.argv[1:], {"PATH": "/usr/bin"})' 'os.execle(sys.argv[1], *sys.argv[1:], {})' \
  'os.execve(os.open(sys.argv[1], os.O_RDONLY), sys.argv[1:], {})' \
  'os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], {}), 0)' \
  'os.waitpid(os.posix_spawnp("curl", sys.argv[1:], {}), 0)' \
  'subprocess.run(sys.argv[1:], env={"LD_PRELOAD": "libutil.so.1"})' \
  'subprocess.run(sys.argv[1:], env={f"N{i}": "v" * 50 for i in range(9000)})'; do
  chain "python: ${call:0:60}" "$python" -c "import os, subprocess, sys; $call" "${fetch[@]}"
done
if installed node; then
  chain "node: child_process with an empty environment" node -e "
    const [file, ...rest] = process.argv.slice(1)
    require('child_process').execFile(file, rest, {env: {}}, (error, out) => process.stdout.write(out))" -- "${fetch[@]}"
fi
gcc -o execl -x c - <<'END' || exit
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int count, char** arguments) {
  char* nothing[] = {NULL};
  const char* url = arguments[count - 1];
  clearenv();
  if (!strcmp(arguments[1], "execl"))
    execl("/usr/bin/curl", "curl", "--noproxy", "*", "-sS", url, (char*)NULL);
  if (!strcmp(arguments[1], "execlp"))
    execlp("curl", "curl", "--noproxy", "*", "-sS", url, (char*)NULL);
  if (!strcmp(arguments[1], "execle"))
    execle("/usr/bin/curl", "curl", "--noproxy", "*", "-sS", url, (char*)NULL, nothing);
  return 1;
}
END
for call in execl execlp execle; do chain "$call" ./execl "$call" "http://$WEB/page"; done

# A thread or a signal handler may have little stack: the next program gets a connection from there, too.
gcc -o small_stack -x c - -pthread <<'END' || exit
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static char *path, **arguments;
static char* environment[200];
static void execute(int number) { execve(path, arguments, environment), _exit(number); }
static void* spawn(void* unused) {
  pid_t pid;
  int status = 0;
  if (posix_spawn(&pid, path, NULL, NULL, arguments, environment) == 0)
    waitpid(pid, &status, 0);
  _exit(status);
  return unused;
}
int main(int count, char** words) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(words[3]))};
  static char stack[10240], number[8];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_handler = execute, .sa_flags = SA_ONSTACK};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  pthread_attr_t attributes;
  pthread_t thread;
  inet_aton(words[2], &to.sin_addr);
  if (count < 7 || connect(fd, (void*)&to, sizeof to))
    return 1;
  path = words[4], arguments = words + 4, words[6] = number;
  number[0] = '0' + fd;
  for (int i = 0; i < 199; ++i)
    environment[i] = "SOME=thing";
  if (!strcmp(words[1], "handler")) {
    sigaltstack(&alternative, NULL), sigaction(SIGUSR1, &action, NULL), raise(SIGUSR1);
    return 1;
  }
  pthread_attr_init(&attributes), pthread_attr_setstacksize(&attributes, 16384);
  return pthread_create(&thread, &attributes, spawn, NULL) || pthread_join(thread, NULL);
}
END
small_stack() {
  prints "${WEB%:*} ${WEB#*:} $PEER False" through ./small_stack "$1" "${WEB%:*}" "${WEB#*:}" "$python" take.py x
}
# For /proc/self/fd the kernel takes tens of microseconds for each descriptor.
many_descriptors() {
  prints below through "$python" -c '
import os, resource, socket, sys, time
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
one = socket.create_connection((sys.argv[1], int(sys.argv[2])))
for _ in range(19500): os.dup(0)
began = time.process_time()
for _ in range(5):
    try: os.execv("/no/such/program", ["x"])
    except OSError: pass
took = (time.process_time() - began) / 5
print("below" if took < 0.1 else f"{took} s for each exec")' "${WEB%:*}" "${WEB#*:}"
}

# Existing variables stay as they are, and nothing is added twice.
settings() { through env -i "$@" env; }
keeps_values() {
  settings SOCKSIFY_TIMEOUT=7 SOCKS_DEBUG=0 A=b >out
  has out '^SOCKSIFY_TIMEOUT=7$'
  has out '^A=b$'
  prints 1 grep -c SOCKSIFY_TIMEOUT out
  prints 1 grep -c '^LD_PRELOAD=' out
  prints 1 grep -c '^SOCKSIFY_SERVER=' out
}
adds_to_preload() {
  settings LD_PRELOAD=libutil.so.1 >out
  has out "^LD_PRELOAD=.*/libsocksify.so:libutil.so.1$"
  settings "LD_PRELOAD=libutil.so.1:$BUILD/libsocksify.so" >out
  has out "^LD_PRELOAD=libutil.so.1:$BUILD/libsocksify.so$"
}
opts_out() {
  settings SOCKS_SERVER= A=b >out
  prints "SOCKS_SERVER=
A=b" cat out
}
inactive_leaves_it() { prints A=b env "LD_PRELOAD=$BUILD/libsocksify.so" env -i A=b env; }
if [ -z "$runtime" ]; then
  check "the program's own values stay" keeps_values
  check "the program's own LD_PRELOAD is kept" adds_to_preload
  check "an empty SOCKS_SERVER opts out" opts_out
  check "an inactive library adds nothing" inactive_leaves_it
fi

# Sockets that the next program inherits.
cat >give.py <<'END'
import os, socket, sys
how, host, port, *command = sys.argv[1:]
if how == 'pending':
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex((host, int(port)))
else:
    s = socket.create_connection((host, int(port)))
if how == 'listening':
    primary = s
    s = socket.socket()
    s.bind(('', 0))
    s.listen()
    print(s.getsockname()[1], flush=True)
s.set_inheritable(True)
if how == 'stdin':
    os.dup2(s.fileno(), 0)
    s.set_inheritable(False)
if how == 'spawn':
    pid = os.posix_spawn(command[0], command + ['0'], {}, file_actions=[(os.POSIX_SPAWN_DUP2, s.fileno(), 0)])
    sys.exit(os.waitpid(pid, 0)[1])
os.execve(command[0], command + ['0' if how == 'stdin' else str(s.fileno())], os.environ if how == 'keep' else {})
END
cat >take.py <<'END'
import os, socket, sys
s = socket.socket(fileno=int(sys.argv[1]))
print(*s.getpeername(), s.getsockname()[0], 'SOCKSIFY_STATE' in os.environ)
END
cat >accept.py <<'END'
import socket, sys
s = socket.socket(fileno=int(sys.argv[1]))
print('ready', s.getsockname()[1], flush=True)
c, peer = s.accept()
print(peer[0], c.recv(100).decode(), c.getpeername()[0])
END
given() {
  prints "${WEB%:*} ${WEB#*:} $PEER False" through "$python" give.py "$1" "${WEB%:*}" "${WEB#*:}" "${@:2}" "$python" take.py
}
given_listening() {
  through "$python" give.py listening "${WEB%:*}" "${WEB#*:}" "$python" accept.py >out &
  await grep -q ready out
  local port
  port=$(head -n 1 out)
  "$python" -c "
import socket
socket.create_connection(('$PEER', $port), source_address=('${WEB%:*}', 0)).sendall(b'hello')"
  wait $!
  has out "^ready $port\$"
  has out "^${WEB%:*} hello ${WEB%:*}\$"
}
if [ -z "$runtime" ]; then
  check "a connection through exec" given keep
  check "... with another environment" given exec
  check "... as standard input" given stdin
  check "... by posix_spawn" given spawn
  check "... while connecting" given pending
  check "... through two" given exec /usr/bin/env
  check "a listening socket through exec" given_listening
  check "exec on the stack of a signal handler" small_stack handler
  check "posix_spawn on the stack of a small thread" small_stack thread
  ! allowed 20000 || check "exec with 19,500 descriptors" many_descriptors
fi
