#!/bin/bash
# SPDX-License-Identifier: MIT
# socksify --check: its findings for each kind of program.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/check.sh"

dynamic() { says 0 "$good" "$loaded" -- "$1"; }
found_in_path() {
  PATH=$WORK/bin:$PATH dynamic in-path
  says 1 'FAIL program  no-such: no such command' -- no-such
}
static() { says 1 "FAIL program  $WORK/static: is statically linked" -- "$WORK/static"; }
other_user() { says 1 "FAIL program  $1: is set-user-ID" -- "$1"; }
other_group() { says 1 "FAIL program  ./sgid: is set-user-ID or set-group-ID" -- ./sgid; }
with_capabilities() {
  local LAUNCHER=$WORK/as-nobody LIBRARY=$WORK/tree/libsocksify.so
  dynamic "$WORK/bin/in-path"
  says 1 "FAIL program  $WORK/capable: has capabilities" -- "$WORK/capable"
}
other_libc() { says 1 "$good" 'FAIL library  .*: not loaded by /lib/ld-musl.*musl, not the GNU one: .*(symbol not found|lib[at]san)' -- "$WORK/musl"; }
other_word_size() { says 1 "FAIL program  $WORK/i386: is a program of 32 bits for i386" -- "$WORK/i386"; }
linker() { says 0 'ok +program  .*: a dynamic linker' -- /lib64/ld-linux-x86-64.so.2; }
# A program could name a script of its own for its dynamic linker: --check must not run it.
foreign_linker() {
  local linker
  for linker in "$WORK/linker.sh" "$WORK/ld-linux-x86-64.so.2"; do
    script "$linker" "#!/bin/sh
touch '$WORK/ran'"
    gcc -Wl,--dynamic-linker="$linker" -x c - -o by-script <<<'int main(void) { return 0; }'
    says 0 "warn library  $linker: not one of the system's" -- ./by-script
  done
  absent ran
}
sanitized() { says 0 "$good" "$loaded" -- ./asan; }
advice() {
  local name
  for name in nmap php8.2 chromium masscan; do
    ln -sf in-path "bin/$name"
    says 0 "$good" "warn program  $WORK/bin/$name: " -- "$WORK/bin/$name"
  done
  for name in gpg adb wine64 tmux; do
    ln -sf in-path "bin/$name"
    says 0 "warn program  $WORK/bin/$name: .* run already" -- "$WORK/bin/$name"
  done
  mkdir -p empty
  says 1 "FAIL program  chroot: .*libsocksify.so does not exist in $WORK/empty" -- chroot "$WORK/empty" true
  says 0 "$good" -- chroot / true
}
dead_entries() {
  NO_PROXY='*.x,host:80, 10.0.0.0/99 [1.2.3.4] good.example,::1,10.0.0.0/8' says 0 "warn settings NO_PROXY: '\*.x' matches nothing" \
    "warn settings NO_PROXY: 'host:80'" "warn settings NO_PROXY: '10.0.0.0/99'" "warn settings NO_PROXY: '\[1.2.3.4\]'" --
  prints 4 grep -c 'matches nothing' findings
}
go() { says 1 "FAIL program  $WORK/go: is written in Go" -- "$WORK/go"; }
lacks_linker() { says 1 "FAIL program  ./lacks-linker: its dynamic linker /no/such does not exist" -- ./lacks-linker; }
unreadable() {
  local LAUNCHER=$LAUNCHER
  [ "$(id -u)" != 0 ] || LAUNCHER=$WORK/as-nobody-much
  says 0 "warn program  $WORK/secret: cannot be read" -- "$WORK/secret"
}
no_program() {
  touch data
  says 1 'FAIL program  ./data: not an executable file' -- ./data
  says 1 'FAIL program  ./no-such: does not exist' -- ./no-such
  says 1 'FAIL program  ./bin: not an exec' -- ./bin
}
follows_scripts() {
  script direct "#!$WORK/static -x"
  says 1 "ok +program  ./direct: a script for $WORK/static -x" \
    "FAIL program  $WORK/static: is statically" -- ./direct
  script twice "#! $WORK/direct"
  says 1 "FAIL program  $WORK/static: is statically" -- ./twice
  script bare true
  says 0 "ok +program  ./bare: a script for /bin/sh" "$good" -- ./bare
  script blank '#! '
  says 0 "ok +program  ./blank: a script for /bin/sh" "$good" -- ./blank
  script nothing '#!/no/such'
  says 1 'FAIL program  /no/such: does not exist' -- ./nothing
  script loop "#!$WORK/loop"
  says 1 'FAIL program  .*/loop: too many' -- ./loop
}
follows_env() {
  PATH=$WORK:$PATH
  script by-env '#!/usr/bin/env static'
  says 1 'ok +program  ./by-env: a script' "$good" "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env -S A=1 -i static -x'
  says 1 "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env -S -u A -iC / B=1 static'
  says 1 "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env -Sstatic other'
  says 1 "FAIL program  $WORK/static: is static" -- ./by-env
  script by-env '#!/usr/bin/env sh -e'
  says 1 "FAIL program  ./by-env: /usr/bin/env gets 'sh -e' as one argument" -- ./by-env
  script by-env '#!/usr/bin/env no-such'
  says 1 'FAIL program  no-such: no such command, and' -- ./by-env
}

mkdir bin
compile bin/in-path gcc && compile static gcc -static || exit
compile lacks-linker gcc -Wl,--dynamic-linker=/no/such || exit
# shellcheck disable=SC2119 # no options
start_socks4d
check "a dynamic program" dynamic "$WORK/bin/in-path"
check "a program in PATH" found_in_path
check "a static program" static
cp bin/in-path secret && chmod 111 secret || exit
if [ "$(id -u)" = 0 ]; then
  mkdir -p tree && cp "$LAUNCHER" "$BUILD"/{libsocksify.so,socksify-exec,socksify-check} tree || exit
  nobody='setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps -all'
  script as-nobody "#!/bin/sh
exec $nobody '$WORK/tree/socksify' \"\$@\""
  script as-nobody-much "#!/bin/sh
exec setpriv --bounding-set=-dac_override,-dac_read_search '$LAUNCHER' \"\$@\""
  cp bin/in-path suid && chown 65534 suid && chmod u+s suid && cp bin/in-path sgid && chgrp 65534 sgid && chmod g+s sgid || exit
  check "a set-user-ID program" other_user "$WORK/suid"
  check "a set-group-ID program" other_group
  if ! cp bin/in-path capable || ! setcap cap_net_raw+ep capable; then
    skip "file capabilities" "the file system has none"
  elif ! chmod 711 "$WORK" "$WORK/.." "$WORK/../.." || ! $nobody test -x "$WORK/capable"; then
    skip "file capabilities" "nobody gets here"
  else
    check "a program with capabilities" with_capabilities
  fi
else
  check "a set-user-ID program" other_user /bin/su
fi
check "a program that cannot be read" unreadable
! installed musl-gcc || { compile musl musl-gcc && check "a program of another C library" other_libc; }
[ "$(uname -m)" != x86_64 ] || { compile i386 gcc -m32 && check "a program of another word size" other_word_size; }
# The section that Go's linker writes into every program.
program="$program"'
__asm__(".section .note.go.buildid, \"a\", @note\n .long 3, 4, 4\n .asciz \"Go\"\n .byte 0\n .ascii \"some\"\n .previous");'
compile go gcc && check "a program in Go" go
[ "$(uname -m)" != x86_64 ] || check "the dynamic linker as the command" linker
check "a dynamic linker that is not the system's" foreign_linker
if [ -z "$runtime" ] && gcc -fsanitize=address -x c - -o asan <<<'int main(void) { return 0; }'; then
  check "a program with a sanitizer" sanitized
fi
[ "$(id -u)" != 0 ] || check "programs with ways past the proxy" advice
check "entries of NO_PROXY that match nothing" dead_entries
check "a program without its dynamic linker" lacks_linker
check "what is no program" no_program
check "interpreters of scripts" follows_scripts
check "env in the first line of a script" follows_env
