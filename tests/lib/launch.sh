# shellcheck shell=bash disable=SC2034,SC2154 # variables that are shared with harness.sh and the scripts
# SPDX-License-Identifier: MIT
# The launcher in a folder of its own, with an empty library, and how to call it. Source this after harness.sh.

# The sanitizer accepts that other libraries are loaded first.
export "${sanitizer_options[@]}" "ASAN_OPTIONS=$reports:verify_asan_link_order=0"
mkdir -p tree prefix/{bin,lib/socksify} linked bin bin2 "a folder"
cp "$LAUNCHER" "$BUILD/socksify-exec" tree
cp "$LAUNCHER" prefix/bin
cp "$BUILD/socksify-exec" prefix/lib/socksify
cc=(gcc -x c -)
"${cc[@]}" -shared -nostdlib -o tree/libsocksify.so <<<'int nothing;' || exit
cp tree/libsocksify.so prefix/lib/socksify
ln -s "$WORK/tree/socksify" linked/socksify
library=$WORK/tree/libsocksify.so
launcher=$WORK/tree/socksify

# It creates the file "ran".
program='#include <fcntl.h>
int main(void) { return open("ran", O_CREAT | O_WRONLY, 0600) < 0; }'
"${cc[@]}" -o bin/dynamic <<<"$program" || exit

before=() # a command that starts the launcher
# launch ARGUMENT...: the launcher, with only bin and bin2 in PATH; SOCKS_SERVER=none unsets that.
launch() {
  local server=("SOCKS_SERVER=${SOCKS_SERVER-server}")
  [ "${SOCKS_SERVER-}" != none ] || server=(-u SOCKS_SERVER)
  PATH=$WORK/bin:$WORK/bin2${FURTHER:-} /usr/bin/env "${server[@]}" "${before[@]}" "$launcher" "$@"
}
# environment NAME [OPTION...]: prints the value that the program gets.
environment() { launch "${@:2}" /bin/sh -c "echo \"\${$1-unset}\""; }
# refuses STATUS MESSAGE ARGUMENT...: nothing runs, and one line has the message.
refuses() {
  local expected=$1 message=$2 status=0 said
  shift 2
  [ ! -e ran ] || rm ran
  launch "$@" >out 2>errors || status=$?
  mapfile -t said <errors
  printf '%s\n' "${said[@]}"
  equal "exit status $status" "exit status $expected"
  is_empty out
  [ ! -e ran ]
  equal "${#said[@]} lines" "1 lines"
  contains "^socksify: .*$message" "${said[@]}" || { echo "this is not about: $message" && false; }
}
runs() {
  [ ! -e ran ] || rm ran
  launch "$@"
  [ -e ran ]
}
