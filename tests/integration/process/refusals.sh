#!/bin/bash
# SPDX-License-Identifier: MIT
# A program that cannot load the library would connect directly, so a proxied program is not allowed to start it.
# shellcheck disable=SC2016 # for the shells and interpreters that are started
. "${0%/*}/../../lib/harness.sh"

SOCKS=$NET.1:1
program='int main(void) { return 0; }'
compile() { "${@:2}" -x c - -o "$1" <<<"$program"; }
script() {
  printf '%s\n' "$2" >"$1"
  chmod 755 "$1"
}
proxied() { limit env LD_PRELOAD="${runtime:+$runtime:}$BUILD/libsocksify.so" "${others_options[@]}" SOCKS_SERVER="$SOCKS" "$@"; }

# starter NAME PROGRAM: a command that starts the program in this way.
starters=(sh env python-execv python-execvp python-spawn python-spawnp python-subprocess fexecve perl)
[ "$(uname -m)" != x86_64 ] || starters+=(syscall)
starter() {
  case $1 in
    sh) proxied sh -c '"$1"; exit' sh "$2" ;;
    env) proxied env "$2" ;;
    syscall) proxied perl -e '$path = "$ARGV[0]\0"; $words = pack("pQ", $path, 0); $none = pack("Q", 0); exit(syscall(59, $path, $words, $none) != 0)' "$2" ;; # execve
    perl) proxied perl -e 'exec { $ARGV[0] } @ARGV or exit 1' "$2" ;;
    fexecve) proxied "$python" -c 'import os, sys; os.execve(os.open(sys.argv[1], os.O_RDONLY), sys.argv[1:], os.environ)' "$2" ;;
    python-execv) proxied "$python" -c 'import os, sys; os.execv(sys.argv[1], sys.argv[1:])' "$2" ;;
    python-execvp) proxied "$python" -c 'import os, sys; os.environ["PATH"] = os.path.dirname(sys.argv[1]); os.execvp(os.path.basename(sys.argv[1]), ["x"])' "$2" ;;
    python-spawn) proxied "$python" -c 'import os, sys; sys.exit(os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)[1])' "$2" ;;
    python-spawnp) proxied "$python" -c 'import os, sys; os.environ["PATH"] = os.path.dirname(sys.argv[1]); os.posix_spawnp(os.path.basename(sys.argv[1]), ["x"], os.environ)' "$2" ;;
    python-subprocess) proxied "$python" -c 'import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)' "$2" ;;
  esac
}
# refused REASON COMMAND...: the command fails, and there is one line of ours.
refused() {
  local reason=$1
  shift
  fails "$@" >out 2>&1
  prints 1 grep -c '^socksify: ' out
  has out "^socksify: .*$reason.*; SOCKS_SERVER= lets it connect directly$"
}
says_eacces() {
  refused "is statically linked" starter sh "$WORK/static"
  has out '[Pp]ermission denied'
}
by() { refused "(the program|$WORK/static) is statically linked" starter "$1" "$WORK/static"; }
runs_dynamic() {
  local name
  for name in "${starters[@]}"; do
    starter "$name" "$WORK/dynamic" >out 2>&1
    is_empty out
  done
}
musl() { refused "$WORK/musl is for the C library musl" starter sh "$WORK/musl"; }
other_word_size() { refused "$WORK/i386 is for another kind of processor" starter sh "$WORK/i386"; }
pascal() { refused "$WORK/pascal is written in Free Pascal" starter sh "$WORK/pascal"; }
go() { refused "$WORK/go is written in Go" starter sh "$WORK/go"; }
real_go() { refused "/go is .*" starter sh "$(type -P go)"; }
scripts() {
  script by-static "#!$WORK/static -x"
  script by-script "#!$WORK/by-static"
  script bare true
  refused "by-script: its interpreter $WORK/static is static" starter sh "$WORK/by-script"
  refused "by-script: its interpreter $WORK/static is static" starter python-spawn "$WORK/by-script"
  starter sh "$WORK/bare" >out 2>&1
  starter env "$WORK/bare" >>out 2>&1
  is_empty out
}
set_user_id() {
  local program=/bin/su
  [ "$(id -u)" != 0 ] || { program=$WORK/suid && cp dynamic suid && chown 65534 suid && chmod u+s suid; }
  refused "$program is set-user-ID" starter sh "$program"
}
# What an own set-user-ID program would do: exec with other effective IDs than real ones.
effective_ids() {
  refused "would run with different real and effective IDs" \
    proxied "$python" -c 'import os; os.seteuid(65534); os.execv("/bin/true", ["true"])'
}
# In a root without the library, and for a user who cannot read it.
root_without_library() {
  mkdir -p root/lib64 root/lib/x86_64-linux-gnu
  cp dynamic /lib64/ld-linux-x86-64.so.2 root/lib64/
  cp /lib/x86_64-linux-gnu/libc.so.6 root/lib/x86_64-linux-gnu
  refused "/lib64/dynamic cannot load the library" proxied chroot root /lib64/dynamic
}
library_of_another() {
  mkdir -p closed
  cp "$BUILD/libsocksify.so" closed
  chmod 700 closed
  refused "/bin/true cannot load the library" limit env LD_PRELOAD="$WORK/closed/libsocksify.so" SOCKS_SERVER="$SOCKS" \
    setpriv --reuid 65534 --clear-groups /bin/true
}
lets_through() {
  proxied sh -c 'SOCKS_SERVER= "$1"' sh "$WORK/static" >out 2>&1
  proxied env SOCKS_SERVER= "$WORK/static" >>out 2>&1
  is_empty out
}
inactive() {
  env LD_PRELOAD="${runtime:+$runtime:}$BUILD/libsocksify.so" "${others_options[@]}" sh -c '"$1"; exit' sh "$WORK/static" >out 2>&1
  is_empty out
}
linker() {
  proxied sh -c '/lib64/ld-linux-x86-64.so.2 "$1"; exit' sh "$WORK/dynamic" >out 2>&1
  is_empty out
}
# What is no program stays the kernel's to report.
no_programs() {
  local what
  touch data
  for what in "$WORK" "$WORK/data" /no/such; do
    fails starter python-execv "$what" >out 2>&1
    lacks out '^socksify'
    has out 'PermissionError|FileNotFoundError'
  done
}
# A static program runs at most as often as it is let through.
nothing_on_others() {
  proxied sh -c '"$1" 2>errors >output; :' sh "$WORK/static" >out 2>&1
  is_empty out
  is_empty output
  has errors '^socksify: '
}

compile dynamic gcc && compile static gcc -static || exit
check "a static program is refused with EACCES" says_eacces
for name in "${starters[@]}"; do check "... started by $name" by "$name"; done
check "dynamic programs run" runs_dynamic
if installed musl-gcc; then
  compile musl musl-gcc || exit
  check "another C library" musl
fi
if [ "$(uname -m)" = x86_64 ]; then
  compile i386 gcc -m32 || exit
  check "another word size" other_word_size
fi
if installed fpc; then
  printf 'program pascal;\nuses cthreads;\nbegin\nend.\n' >pascal.pas
  fpc pascal.pas >fpc.out 2>&1 || exit
  check "Free Pascal" pascal
fi
! type -P go >/dev/null || check "the go command" real_go
program="$program"'
__asm__(".section .go.buildinfo, \"a\"\n .ascii \"Go\"\n .previous");'
compile go gcc || exit
check "Go, by a section" go
check "interpreters of scripts" scripts
check "set-user-ID" set_user_id
if [ "$(id -u)" = 0 ] && [ -z "$runtime" ]; then
  check "different real and effective IDs" effective_ids
  [ "$(uname -m)" != x86_64 ] || check "chroot without the library" root_without_library
  check "a library that another user cannot read" library_of_another
fi
check "SOCKS_SERVER= lets it through" lets_through
check "an inactive library refuses nothing" inactive
[ "$(uname -m)" != x86_64 ] || check "the dynamic linker as the command" linker
check "the kernel's own errors" no_programs
check "the message goes to the program's stderr" nothing_on_others
