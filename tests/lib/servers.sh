# shellcheck shell=bash disable=SC2034,SC2120,SC2154 # variables of the scripts and of harness.sh; options
# SPDX-License-Identifier: MIT
# The servers of the tests: started here, they never outlive the script. Each start_NAME waits until the server is up and
# leaves its address, IP:PORT, in a variable: SOCKS, APP, WEB, FTP.

# start NAME COMMAND...: a server that logs to $WORK/NAME.log.
start() {
  local name=$1
  shift
  : >"$WORK/$name.log" # an earlier server of this name may have left one
  marks["$WORK/$name.log"]=0
  setpriv --pdeathsig KILL "$@" >"$WORK/$name.log" 2>&1 </dev/null &
  servers+=($!)
}

# start_through NAME COMMAND...: the same, under the shim (see `through`).
start_through() {
  start "$1" env "SOCKSIFY_LIBRARY=$BUILD/libsocksify.so" SOCKSIFY_LOOPBACK=proxy "$LAUNCHER" -s "$SOCKS" -- "${@:2}"
}

# announced NAME, answers NAME ADDRESS: wait until the server is up, and leave its IP:PORT in $ADDRESS. The script ends if it
# does not come up.
announced() {
  await is_listening "$1" || failed_to_start "$1"
}
is_listening() {
  [[ $(<"$WORK/$1.log") =~ .*"listening on "([0-9.]+:[0-9]+) ]] && ADDRESS=${BASH_REMATCH[1]}
}
answers() {
  ADDRESS=$2
  await connects "$ADDRESS" || failed_to_start "$1"
}
connects() { : <>"/dev/tcp/${1%:*}/${1#*:}"; }
failed_to_start() {
  echo "not ok $1 starts"
  sed 's/^/    /' "$WORK/$1.log"
  exit 1
}

# A port that is free on every address, for servers that cannot choose one themselves. Each script searches a range of its
# own, so no other script takes the port in the meantime.
unused_port() {
  local port ip
  IFS=. read -ra ip <<<"$NET"
  for ((port = 10000 + (ip[1] * 64 + ip[2]) * 8 % 20000; ; port++)); do
    connects "127.0.0.1:$port" 2>/dev/null || connects "$NET.3:$port" 2>/dev/null || break
  done
  echo "$port"
}

start_socks4d() {
  start socks4d env "${sanitizer_options[@]}" "$BUILD/socks4d" --listen "$NET.1:0" --bind-address "$PEER" "$@"
  announced socks4d
  SOCKS=$ADDRESS
  export SOCKS4D=${servers[-1]}
}

# Dante accepts only addresses of the interface list, which has just 127.0.0.1; so it listens on all of them.
start_danted() {
  local port
  installed danted || return
  port=$(unused_port)
  cat >danted.conf <<END
logoutput: stderr
internal: 0.0.0.0 port = $port
external: $PEER
clientmethod: none
socksmethod: none
user.privileged: $(id -un)
user.unprivileged: $(id -un)
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 command: bind connect bindreply }
END
  start danted danted -f danted.conf -p danted.pid
  answers danted "$NET.1:$port"
  SOCKS=$ADDRESS
}

# start_faulty SCENARIO: see tests/servers/faulty_socks.py; with "by-userid", each request's userid names the fault.
start_faulty() {
  start faulty "$python" -B "$TOP/tests/servers/faulty_socks.py" "$NET.1" "$PEER" "$1"
  announced faulty
  SOCKS=$ADDRESS
}

start_app() {
  start app "$python" -B "$TOP/tests/servers/appserver.py" "$NET.3"
  announced app
  APP=$ADDRESS STEADY=$NET.5:${ADDRESS#*:}
}

start_web() {
  start web "$python" -B "$TOP/tests/servers/webserver.py" "$NET.3" "$1"
  announced web
  WEB=$ADDRESS
}

# start_ftp FOLDER [PORT]
start_ftp() {
  start ftp "$python" -B "$TOP/tests/servers/ftpserver.py" "$NET.3" "$@"
  announced ftp
  FTP=$ADDRESS
}

start_vsftpd() {
  local port
  installed vsftpd || return
  port=$(unused_port)
  cat >vsftpd.conf <<END
listen=YES
background=NO
listen_address=$NET.3
listen_port=$port
run_as_launching_user=YES
seccomp_sandbox=NO
anonymous_enable=YES
anon_root=$1
write_enable=YES
anon_upload_enable=YES
anon_umask=022
connect_from_port_20=NO
xferlog_enable=YES
xferlog_std_format=NO
log_ftp_protocol=YES
vsftpd_log_file=$WORK/vsftpd.log
END
  start vsftpd vsftpd vsftpd.conf
  answers vsftpd "$NET.3:$port"
  FTP=$ADDRESS
}

# configure STATEMENT...: makes these the rules of the socks4d that was started with --config rules.conf. counters then
# waits until it has read them: it takes signals in order.
configure() {
  printf '%s\n' "$@" >"$WORK/rules.conf"
  kill -HUP "$SOCKS4D"
  counters
}
# counters: prints the line that SIGUSR1 makes socks4d log.
counters() {
  local lines counted
  mapfile -t lines <"$WORK/socks4d.log"
  kill -USR1 "$SOCKS4D"
  await has_counted ${#lines[@]}
  echo "$counted"
}
# has_counted NUMBER: the log has such a line after that many others.
has_counted() {
  local new
  mapfile -t -s "$1" new <"$WORK/socks4d.log"
  for counted in "${new[@]}"; do [[ $counted != time=*" clients="* ]] || return 0; done
  return 1
}
# idle: it serves nobody.
idle() { counters | grep -q ' clients=0 '; }
