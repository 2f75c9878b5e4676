#!/bin/bash
# SPDX-License-Identifier: MIT
# The commands that the launcher runs, and its one-line message for one that it refuses.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/launch.sh"

"${cc[@]}" -static -o bin/static <<<"$program" && "${cc[@]}" -static-pie -o bin/static-pie <<<"$program" || exit
script() {
  printf '%s\n' "$2" "echo \"\$0:\$*\"" >"bin/$1"
  chmod 755 "bin/$1"
}
script plain '#!/bin/sh'
script blanks '#! 	/bin/sh -e'
script bare 'true'
script by-static "#!$WORK/bin/static"
script by-nothing '#!/no/such/interpreter -x'
printf '#!/bin/sh\r\n' >bin/by-return && chmod 755 bin/by-return
script by-script "#!$WORK/bin/plain"
script by-chain "#!$WORK/bin/by-static"
script without-name '#! '

# Like execvp(3), also for commands with the name of a shell builtin.
finds_command() {
  local name
  for name in test echo kill -x; do
    ln -sf ../bin/dynamic "bin2/$name"
    runs -- "$name"
  done
  touch bin/later
  cp bin/dynamic bin2/later
  runs later
  mkdir -p bin/folder
  cp bin/dynamic bin2/folder
  runs folder
  cp bin/dynamic "a folder/a program"
  runs "a folder/a program"
  runs "$WORK/a folder/a program"
  cp bin/dynamic ./-here
  FURTHER=: runs -- -here
  FURTHER=::/usr/bin runs -- -here
}
first_argument() { launch "$1" /proc/self/cmdline | tr '\0' '\n' | head -n 1; }
keeps_name() {
  ln -sf /usr/bin/cat bin2/called
  prints called first_argument called
}
lacks_command() {
  refuses 127 "nosuch: no such command" nosuch
  refuses 127 "/no/such: no such" /no/such
  refuses 127 ": no such command" ''
  refuses 126 "bin/later: not an exec" bin/later
  chmod 600 bin2/later
  FURTHER=:/no/such refuses 126 "$WORK/bin/later: not an exec" later
  rm bin2/later
  refuses 126 "bin/later: not an exec" later
  refuses 126 "a folder: not an exec" "$WORK/a folder"
}
# An unreadable directory in PATH is passed over, as shells do.
passes_closed_folder() {
  local before=()
  [ "$(id -u)" != 0 ] || before=("$(command -v setpriv)" "--bounding-set=-dac_override,-dac_read_search")
  mkdir -p closed/in
  trap 'chmod 700 "$WORK/closed" || true' EXIT
  chmod 000 closed
  ln -sf loop bin/loop
  cp bin/dynamic bin2/loop
  FURTHER=:$WORK/closed refuses 127 "nosuch: no such command" nosuch
  cp bin/dynamic late
  FURTHER=:$WORK/closed: runs late
  runs loop
  refuses 126 "closed/in: Permission denied" closed/in
  refuses 126 "bin/loop: Too many levels of symbolic links" bin/loop
}
runs_scripts() {
  local name
  for name in plain blanks bare without-name; do prints "$WORK/bin/$name:a b" launch "$name" "a b"; done
  launch by-script
  chmod u+s bin/plain
  launch plain
}
# Static programs, PIE or not.
refuses_static() {
  refuses 125 "bin/static is statically linked" static
  refuses 125 "static-pie is statically" static-pie
  refuses 125 "by-static: its interpreter .*bin/static is statically" by-static
  refuses 125 "by-chain: its interpreter .*bin/static is statically" by-chain
  refuses 127 "by-nothing: its interpreter .*/no/such/interpreter.* does not exist" by-nothing
  refuses 127 'by-return: its interpreter /bin/sh.r does not exist: the line ends with a carriage return' by-return
}
# A program that cannot be examined must not run, or it might connect directly.
refuses_unseen() {
  # shellcheck disable=SC2016 # for the shell that is started
  local before=(/bin/sh -c 'ulimit -n 3 && exec "$@"' sh)
  launcher=$launcher-exec refuses 126 "bin/static cannot be inspected: Too many open files" static
}
runs_itself() {
  prints "$library:$library" launch "$launcher" -s other /bin/sh -c "echo \"\$LD_PRELOAD\""
  prints "$library:$library" launch "$launcher-exec" /bin/sh -c "echo \"\$LD_PRELOAD\""
}
refuses_other_libc() {
  musl-gcc -x c - -o bin/musl <<<"$program"
  refuses 125 "bin/musl is for the C library musl" musl
  musl-gcc -Wl,--dynamic-linker="/$(printf 'long%.0s' {1..30})/ld-musl.so" -x c - -o bin/musl-far <<<"$program"
  refuses 125 "bin/musl-far is for the C library musl" musl-far
  script by-musl "#!$WORK/bin/musl"
  refuses 125 "by-musl: its interpreter .*bin/musl is for the C library musl" by-musl
}
refuses_other_user() {
  local program=/bin/su
  [ "$(id -u)" != 0 ] || { program=$WORK/bin/suid && cp bin/dynamic bin/suid && chown 65534 bin/suid && chmod u+s bin/suid; }
  refuses 125 "$program is set-user-ID" "$program"
  echo "#!$program" >bin/by-suid
  chmod 755 bin/by-suid
  refuses 125 "by-suid: its interpreter $program is set-user-ID" by-suid
}
refuses_other_group() {
  cp bin/dynamic bin/sgid
  chgrp 65534 bin/sgid
  chmod g+s bin/sgid
  refuses 125 "sgid is set-" sgid
}
runs_own() {
  cp bin/dynamic bin/own
  chmod 6755 bin/own
  runs own
}
runs_unreadable() {
  local before=()
  # root without the capability to override permissions.
  [ "$(id -u)" != 0 ] || before=("$(command -v setpriv)" "--bounding-set=-dac_override,-dac_read_search")
  cp -f bin/dynamic bin/secret
  chmod 111 bin/secret
  runs secret
}

check "the command is found" finds_command
check "argv[0] is kept" keeps_name
check "the command is missing" lacks_command
check "an unreadable directory" passes_closed_folder
check "scripts" runs_scripts
check "static programs" refuses_static
[[ $BUILD = *san-* ]] || check "static programs, with too many files open" refuses_unseen # else it needs more itself
check "the launcher by itself" runs_itself
! command -v musl-gcc >/dev/null || check "a program of another C library" refuses_other_libc
check "a set-user-ID program of another user" refuses_other_user
[ "$(id -u)" != 0 ] || check "a set-group-ID program of another group" refuses_other_group
check "a set-user-ID program of our own" runs_own
check "a program that cannot be read" runs_unreadable
