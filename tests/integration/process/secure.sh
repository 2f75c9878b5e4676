#!/bin/bash
# SPDX-License-Identifier: MIT
# A set-user-ID program that loads the library by /etc/ld.so.preload runs with another user's environment: no file that
# it names is opened.
. "${0%/*}/../../lib/harness.sh"

[ "$(id -u)" = 0 ] || { skip "set-user-ID programs" "only root can make one of root's" && exit; }
[ -z "$runtime" ] || { skip "set-user-ID programs" "a sanitizer's library cannot be loaded into them" && exit; }
folder=$(mktemp -d /var/tmp/socksify-secure.XXXXXX) || exit
trap 'kill "${servers[@]}" 2>/dev/null; rm -rf "$folder"' EXIT
chmod 755 "$folder"
cp "$BUILD/libsocksify.so" "$folder"
cp "$BUILD/programs/connect" "$folder/plain"
cp "$BUILD/programs/connect" "$folder/privileged"
chmod 755 "$folder/plain"
chmod 4755 "$folder/privileged"
mkdir "$folder/upper" "$folder/work" "$folder/logs"
chmod 777 "$folder/logs"
echo "$folder/libsocksify.so" >"$folder/upper/ld.so.preload"
chmod 644 "$folder/upper/ld.so.preload"

# where_all_preload COMMAND: in a mount namespace whose /etc/ld.so.preload names the library.
where_all_preload() {
  # shellcheck disable=SC2016 # the other shell expands it
  limit unshare --mount sh -c 'mount -t overlay -o "lowerdir=/etc,upperdir=$0/upper,workdir=$0/work" overlay /etc && exec "$@"' \
    "$folder" "$@"
}

# runs PROGRAM: as nobody.
runs() {
  where_all_preload setpriv --reuid 65534 --regid 65534 --clear-groups env "SOCKS_SERVER=$SOCKS" SOCKSIFY_LOOPBACK=proxy SOCKS_DEBUG=3 \
    "SOCKS_LOGOUTPUT=$folder/logs/$1.log" "SOCKSIFY_SESSION=$folder/logs/$1.names" "$folder/$1" "$APP" >got
  has got '^connect: ok'
  saw_only_peer app
}
logs_for_its_user() {
  runs plain
  has "$folder/logs/plain.log" 'CONNECT'
}
opens_nothing() {
  runs privileged
  [ ! -e "$folder/logs/privileged.log" ]
  [ ! -e "$folder/logs/privileged.names" ]
}

where_all_preload true 2>refused || { skip "set-user-ID programs" "$(tail -n 1 refused)" && exit; }
start_app
start_socks4d
check "an ordinary program writes its user's log" logs_for_its_user
check "a set-user-ID program opens none of its caller's files" opens_nothing
