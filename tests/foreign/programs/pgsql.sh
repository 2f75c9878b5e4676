#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL through the SOCKS server: psql, and an NSS module that asks a server for users in whatever program looks one up.
. "${0%/*}/../../lib/harness.sh"

binaries=$(compgen -G '/usr/lib/postgresql/*/bin' | tail -n 1)
[ -n "$binaries" ] || { skip PostgreSQL "not installed" && exit; }
[ "$(id -u)" = 0 ] || { skip PostgreSQL "its server and the private mounts need root" && exit; }

as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
start_postgres() {
  local port
  port=$(unused_port)
  folder=$(mktemp -d /tmp/socksify-pgsql.XXXXXX) || exit # which this user may enter
  trap 'kill "${servers[@]}" 2>/dev/null; wait; rm -rf "$folder"' EXIT
  chown postgres: "$folder"
  as_postgres "$binaries/initdb" -D "$folder" -A trust -N --locale C >initdb.log 2>&1 || failed_to_start initdb
  sed -i '/^host /s/127.0.0.1\/32/127.0.0.0\/8/' "$folder/pg_hba.conf"
  start postgres setpriv --reuid postgres --regid postgres --clear-groups --pdeathsig INT "$binaries/postgres" -D "$folder" \
    -h "$NET.3" -p "$port" -k "$folder" -c log_connections=on -c fsync=off
  logged postgres 'ready to accept connections'
  PG=$NET.3:$port
}

by_psql() {
  prints "$PEER" through psql -w -X -A -t -h "$NET.3" -p "${PG#*:}" -U postgres -c 'select host(inet_client_addr())'
}
# The module connects without blocking, and waits by poll().
by_nss() {
  prints 'far:x:4711:4711::/users/far:/bin/sh' through unshare --mount --propagation private \
    sh -c 'mount --bind etc /etc && exec "$@"' - "$@"
  logged postgres "connection received: host=$PEER "
}

start_socks4d
start_postgres
psql -q -w -X -h "$NET.3" -p "${PG#*:}" -U postgres <<END
create table users (username text, passwd text, gecos text, homedir text, shell text, uid int, gid int);
insert into users values ('far', 'x', '', '/users/far', '/bin/sh', 4711, 4711);
END
columns='select username, passwd, gecos, homedir, shell, uid, gid from users'
cp -a /etc etc
cat >etc/nss-pgsql.conf <<END
connectionstring = hostaddr=$NET.3 port=${PG#*:} dbname=postgres user=postgres connect_timeout=20
getpwnam = $columns where username = \$1
getpwuid = $columns where uid = \$1
allusers = $columns
END
printf '%s\n' 'passwd: files pgsql' 'group: files' 'hosts: files dns' >etc/nsswitch.conf
check "psql" by_psql
if ! compgen -G '/lib/libnss_pgsql.so*' >/dev/null; then
  skip libnss-pgsql2 "not installed"
else
  check "libnss-pgsql2, by name" by_nss getent passwd far
  check "libnss-pgsql2, by number" by_nss getent passwd 4711
  check "libnss-pgsql2, in perl" by_nss perl -e 'print join(":", (getpwnam "far")[0 .. 3], "", "/users/far", "/bin/sh"), "\n"'
fi
