#!/bin/bash
# SPDX-License-Identifier: MIT
# socksify --local and --ssh: a server that lives as long as one command.
. "${0%/*}/../../lib/harness.sh"

[ -z "$runtime" ] || { skip "own server" "what is new is sanitized by other tests" && exit; }
mkdir helpers site && head -c 300000 /dev/urandom >site/page
cp "$BUILD"/{libsocksify.so,with-server,socksify-check} helpers
# Our socks4d, with an outgoing address, and its process id written to a file.
cat >helpers/socks4d <<END
#!/bin/sh
echo "\$\$" >>"$WORK/servers"
[ -z "\${LD_PRELOAD-}" ] || touch "$WORK/preloaded"
exec "$BUILD/socks4d" --bind-address "$PEER" "\$@"
END
chmod 755 helpers/socks4d
export SOCKSIFY_LIBRARY=$WORK/helpers/libsocksify.so SOCKSIFY_LOOPBACK=proxy

own() {
  rm -f servers
  limit "$LAUNCHER" "$@"
}
# The server of the last own() has ended.
server_is_gone() { await has_gone "$(cat servers)"; }
has_gone() { ! kill -0 "$1" || [ "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat")" = Z ]; }

serves() {
  own --local curl -sS "http://$WEB/page" >got
  same got site/page
  saw_only_peer web
  [ ! -e preloaded ]
  server_is_gone
}
serves_shell() {
  # shellcheck disable=SC2016 # for the shell that is started
  SHELL=/bin/sh ends_with 4 own --local --shell < <(echo "curl -sS 'http://$WEB/page' >got; exit 4")
  same got site/page
  saw_only_peer web
  server_is_gone
}
passes_status() {
  ends_with 0 own --local sh -c 'exit 0'
  ends_with 7 own --local sh -c 'exit 7'
  ends_with 143 own --local sh -c 'kill $$'
}
# The command keeps the process id of the launcher, and has no child but its own.
is_alone() {
  # shellcheck disable=SC2016 # for the shells that are started
  own --local sh -c 'read -r children <"/proc/$$/task/$$/children"; echo "children: $children"' >got
  prints "children: " cat got
  # shellcheck disable=SC2016 # for the shell that is started
  env "$LAUNCHER" --local sh -c 'echo $$' >got &
  wait $!
  prints $! cat got
}
ends_when_killed() {
  local signal
  for signal in TERM KILL INT HUP; do
    mkfifo "fifo.$signal"
    rm -f servers
    # bash starts background jobs with SIGINT ignored.
    (trap - INT && exec "$python" -c 'import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
      "$LAUNCHER" --local sh -c "echo >fifo.$signal; exec sleep 60") &
    read -r <"fifo.$signal"
    kill "-$signal" $!
    fails wait $!
    server_is_gone
  done
}
# The watcher is the parent of the server.
ends_without_watcher() {
  own --local sh -c "kill -9 \$(ps -o ppid= -p \$(cat servers)); cat" < <(await test -s servers && server_is_gone && echo gone >gone)
  [ -e gone ]
  server_is_gone
}
# Signals from the terminal are for the command, not for the server.
survives_interrupt() {
  limit setsid "$python" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$LAUNCHER" --local sh -c "trap : INT QUIT HUP TSTP
    for signal in INT QUIT HUP TSTP; do kill -\$signal 0; done
    curl -sS 'http://$WEB/page' >got"
  same got site/page
  saw_only_peer web
}
# Inside a program that uses another server, which does not exist.
works_inside() {
  env "$1=$NET.9:1" "$LAUNCHER" "$LAUNCHER" --local curl -sS "http://$WEB/page" >got
  same got site/page
  saw_only_peer web
}
# The server does not hold the command's output open: its reader sees the end of file.
lets_go() {
  own --local sh -c 'exec 3>&- && echo text' 3>&1 2>&1 | cat >got
  has got '^text$'
}
# shellcheck disable=SC2094 # one end waits for what the other has written
tells_end() {
  : >errors
  own --local sh -c "kill -9 \$(cat servers); read -r line" 2>errors < <(await test -s errors && echo) || true
  has errors '^socksify: --local: the server has exited: '
}
does_not_start() {
  local status=0
  mv helpers/socks4d kept
  printf '#!/bin/sh\necho "socks4d: nothing works" >&2\nexit 1\n' >helpers/socks4d
  chmod 755 helpers/socks4d
  own --local touch ran 2>errors || status=$?
  mv -f kept helpers/socks4d
  cat errors
  [ $status = 125 ]
  [ ! -e ran ]
  [ "$(cat errors)" = "socksify: --local: socks4d: nothing works" ]
}
lacks_server() {
  mv helpers/socks4d kept
  fails own --local touch ran 2>errors
  mv kept helpers/socks4d
  has errors '^socksify: --local: socks4d is missing'
  [ ! -e ran ]
}
lacks_command() {
  ends_with 127 own --local no-such 2>errors
  has errors 'no-such: no such command'
  server_is_gone
}
checks() {
  own --local --check curl >got
  has got '^ok +socks4a '
  has got '^ok +bind .*'
  server_is_gone
}

# --- ssh
start_sshd() {
  local port pam=yes # without root, only PAM can tell whether the account is locked
  installed ssh || return
  port=$(unused_port)
  ssh-keygen -q -t ed25519 -N '' -f key
  ssh-keygen -q -t ed25519 -N '' -f other
  cp key.pub authorized
  [ "$(id -u)" != 0 ] || { pam=no && mkdir -p /run/sshd; }
  printf '%s\n' "ListenAddress $NET.3:$port" "HostKey $WORK/key" "AuthorizedKeysFile $WORK/authorized" \
    "PidFile none" "StrictModes no" "UsePAM $pam" "LogLevel DEBUG1" >sshd.conf
  printf '%s\n' "Host gateway" "HostName $NET.3" "Port $port" "IdentityFile $WORK/key" "UserKnownHostsFile $WORK/known" \
    "StrictHostKeyChecking no" "BatchMode yes" "ControlMaster auto" "ControlPath $WORK/control" "LocalCommand touch $WORK/local" >ssh.conf
  start sshd /usr/sbin/sshd -D -e -f "$WORK/sshd.conf"
  answers sshd "$NET.3:$port"
  SOCKSIFY_SSH="ssh -F $WORK/ssh.conf"
  export SOCKSIFY_SSH
}
by_ssh() {
  own --ssh gateway curl -sS "http://$WEB/page" >got
  same got site/page
  [ ! -e control ]
  [ ! -e local ]
  logged sshd "channel 0: connected to ${WEB%:*} port ${WEB#*:}"
  logged sshd "Disconnected from|Received disconnect|Connection closed by"
}
by_ssh_too() {
  own --ssh=gateway curl -sS "http://$WEB/page" >got
  same got site/page
  logged sshd "channel 0: connected to"
}
ssh_is_refused() {
  local status=0
  sed "s|$WORK/key|$WORK/other|" ssh.conf >other.conf
  SOCKSIFY_SSH="ssh -F $WORK/other.conf" ends_with 125 own --ssh nobody@gateway touch ran 2>errors
  [ ! -e ran ]
  [ "$(wc -l <errors)" = 1 ]
  has errors '^socksify: --ssh nobody@gateway: .*(Permission denied|closed)'
}
ssh_is_not_there() {
  fails own --ssh no-such.invalid touch ran 2>errors
  [ "$(wc -l <errors)" = 1 ]
  has errors '^socksify: --ssh no-such.invalid: .*resolve'
  SOCKSIFY_SSH=$WORK/no-ssh fails own --ssh gateway touch ran 2>errors
  has errors "^socksify: --ssh gateway: $WORK/no-ssh: No such file"
  [ ! -e ran ]
}
ssh_is_checked() {
  own --ssh gateway --check curl >got
  has got '^ok +socks4  '
  has got '^ok +socks4a '
  has got '^warn bind '
}
ssh_ends_when_killed() {
  mkfifo fifo
  "$LAUNCHER" --ssh gateway sh -c 'echo >fifo; exec sleep 60' &
  read -r <fifo
  kill -KILL $!
  fails wait $!
  logged sshd "Disconnected from|Received disconnect|Connection closed by|Connection reset by peer"
}
# shellcheck disable=SC2094 # one end waits for what the other has written
tells_end_of_ssh() {
  : >errors
  own --ssh gateway sh -c "kill \$(pgrep -f '^ssh -F $WORK/ssh.conf'); read -r line" 2>errors < <(await test -s errors && echo) || true
  has errors '^socksify: --ssh gateway: the server has exited'
}

start_web "$WORK/site"
check "--local" serves
check "--local, --shell" serves_shell
check "the exit status" passes_status
check "the command has no other child" is_alone
check "the server ends when the command is killed" ends_when_killed
check "the server ends when its watcher is killed" ends_without_watcher
check "signals from the terminal are for the command" survives_interrupt
for variable in SOCKS_SERVER SOCKS4_SERVER; do check "inside another, by $variable" works_inside $variable; done
check "pipes are not held open" lets_go
check "the server exits early" tells_end
check "the server does not start" does_not_start
check "the server is missing" lacks_server
check "the command is missing" lacks_command
check "--local --check" checks
if start_sshd; then
  check "--ssh" by_ssh
  check "--ssh=" by_ssh_too
  check "ssh is refused" ssh_is_refused
  check "ssh finds no host" ssh_is_not_there
  check "--ssh --check" ssh_is_checked
  check "ssh ends when the command is killed" ssh_ends_when_killed
  check "ssh exits early" tells_end_of_ssh
fi
