#!/bin/bash
# SPDX-License-Identifier: MIT
# What is installed is hardened, as a distribution's reviewer would ask: RELRO, immediate binding, no executable stack,
# position independence, stack protector, fortified calls.
. "${0%/*}/../../lib/harness.sh"

[ -z "$runtime" ] || { skip hardening "sanitized builds are not installed" && exit; }

has_relro() {
  readelf -lW "$1" >headers
  has headers ' GNU_RELRO '
}
binds_now() {
  readelf -dW "$1" >dynamic
  has dynamic 'FLAGS.*NOW'
}
has_no_executable_stack() {
  readelf -lW "$1" >headers
  has headers 'GNU_STACK .* RW '
}
is_position_independent() {
  readelf -hW "$1" >header
  has header 'Type: .*DYN'
}
has_stack_protector() {
  readelf -sW "$1" >symbols
  has symbols '__stack_chk_fail'
}
is_fortified() {
  readelf -sW "$1" >symbols
  has symbols '_chk(@|$)'
}

for file in libsocksify.so socks4d socksify-exec with-server socksify-check; do
  check "$file: RELRO" has_relro "$BUILD/$file"
  check "$file: all symbols bound at load" binds_now "$BUILD/$file"
  check "$file: no executable stack" has_no_executable_stack "$BUILD/$file"
  check "$file: position independent" is_position_independent "$BUILD/$file"
  check "$file: stack protector" has_stack_protector "$BUILD/$file"
  # socksify-exec makes no call that fortification would change.
  [ "$file" = socksify-exec ] || check "$file: fortified" is_fortified "$BUILD/$file"
done
