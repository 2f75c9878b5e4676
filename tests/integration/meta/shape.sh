#!/bin/bash
# SPDX-License-Identifier: MIT
# The library is a good guest: what it depends on, exports and prints.
. "${0%/*}/../../lib/harness.sh"
library=$BUILD/libsocksify.so

needs_libc_only() {
  readelf -dW "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >needed
  same needed - <<<libc.so.6
}
# A hook is a line that begins with HOOK. The hooks in the source and the exported symbols are the same.
exports_the_hooks() {
  sed '/^#if __TIMESIZE == 32/,/^#endif/d' "$TOP"/shim/hooks/*.cc | sed -nE 's/^HOOK [A-Za-z0-9_ *]*[ *]([a-zA-Z0-9_]+)\(.*/\1/p' | sed 's/^syscall_hook$/syscall/' | sort >hooks
  nm -D --defined-only --format=posix "$library" | cut -d ' ' -f 1 | sort >exported
  grep -qx connect hooks
  same hooks exported
}
# The launcher starts before every program, so it loads no library.
starts_at_once() {
  readelf -ldW "$BUILD/socksify-exec" >headers
  has headers ' LOAD '
  fails grep -E 'INTERP|NEEDED|RWE' headers
}
# The loader need not relocate the text, and no stack is executable.
loads_cleanly() {
  readelf -dlW "$library" >headers
  fails grep -E 'TEXTREL|GNU_STACK.* RWE' headers
  grep -q 'GNU_STACK.* RW ' headers
}
without_exceptions() {
  lacks <(nm -D --undefined-only "$library") '__cxa_(throw|begin|end)|_Unwind_|_ZS|__gxx'
}
# With no server configured, the library does nothing.
idle_is_quiet() {
  prints hello env "LD_PRELOAD=$library" sh -c 'echo hello' 2>errors
  same errors - </dev/null
}
works_quietly() {
  through /bin/true >out 2>errors
  same out - </dev/null
  same errors - </dev/null
  through curl -sS -o got "http://$WEB/page" >out 2>errors
  same out - </dev/null
  same errors - </dev/null
}
fails_quietly() {
  USERID=connect-refuse-91 prints "connect: ECONNREFUSED
SO_ERROR: 0
peer: ENOTCONN" client connect "$WEB" 2>errors
  same errors - </dev/null
}

if [ -n "$runtime" ]; then
  skip "needs and exports" "not of a sanitized library"
else
  check "NEEDED is libc only" needs_libc_only
  check "no exceptions" without_exceptions
  check "the launcher is static" starts_at_once
  check "exported symbols are the hooks" exports_the_hooks
  check "silence when idle" idle_is_quiet
fi
check "no text relocations, no executable stack" loads_cleanly
mkdir site && echo page >site/page
start_web "$WORK/site"
start_faulty by-userid
check "silence when it works" works_quietly
check "silence when it fails" fails_quietly
