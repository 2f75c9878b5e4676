#!/bin/bash
# SPDX-License-Identifier: MIT
# A call has many names: connect and __connect, recv and __recv_chk, select and __select64. Each name that the C library
# has for a hooked call is hooked as well, or listed here with the reason; and no installed program uses any other.
. "${0%/*}/../../lib/harness.sh"

not_hooked() {
  cat <<END
__recv            GLIBC_PRIVATE: for the C library's own parts
__sendmmsg        GLIBC_PRIVATE: for the C library's own parts
__read_nocancel   GLIBC_PRIVATE: for the C library's own parts
__libc_sigaction  GLIBC_PRIVATE: for the C library's own parts
__write_nocancel  GLIBC_PRIVATE: for the C library's own parts
END
}

# calls: adds to each name the call it stands for: the name without the prefix and suffix of a variant.
calls() { sed -E 's/^(.*)$/\1 \1/; s/ (__libc_|__)/ /; s/(64|_time64)$//; s/_nocancel$//; s/_chk$//; s/(64|_time64)$//'; }
names() { nm -D --format=posix "$@" 2>/dev/null | sed -nE 's/^([A-Za-z_][A-Za-z0-9_]*)(@[^ ]*)? [A-Za-z].*/\1/p' | sort -u; }

# strangers LIBRARY: from the names on stdin, variants of hooked calls that are neither hooked nor listed.
strangers() {
  names --defined-only "$1" >hooked
  calls <hooked | awk '{print $2}' | sort -u >hooked.calls
  calls | sort -k 2 | join -1 2 -2 1 -o 1.1 - hooked.calls | sort -u | comm -23 - hooked | comm -23 - <(not_hooked | awk '{print $1}' | sort)
}
libc_has_no_other() {
  names --defined-only "$1" >libc
  [ -s libc ]
  strangers "$2" <libc >strange
  same strange - </dev/null
}
# Programs and their libraries, a few thousand files, without the parts of the C library; each once, whatever links lead to it.
programs_use_no_other() {
  find -L /bin /sbin /usr/bin /usr/sbin /usr/lib /usr/libexec /usr/local /opt -type f \( -perm -100 -o -name '*.so*' \) \
    ! -path '*/gconv/*' ! -name 'ld-*' ! -name 'libc.so*' ! -name 'libsocksify*' -printf '%D:%i %p\0' 2>/dev/null |
    sort -zuk 1,1 | cut -zd ' ' -f 2- | "$python" -B "$TOP/tests/lib/undefined.py" >used
  grep -qx connect used
  grep -qx __read_chk used
  strangers "$1" <used >strange
  same strange - </dev/null
}
# The list has no name that the C library has dropped.
list_is_needed() {
  comm -23 <(not_hooked | awk '{print $1}' | sort) libc >gone
  same gone - </dev/null
}

libc=$(ldd "$BUILD/programs/connect" | sed -n 's|.*libc.so.6 => \([^ ]*\).*|\1|p')
[ -z "$runtime" ] || { skip symbols "a sanitizer's library exports its own" && exit; }
check "all names in the C library" libc_has_no_other "$libc" "$BUILD/libsocksify.so"
check "the list of what is not hooked" list_is_needed
check "all names that installed programs use" programs_use_no_other "$BUILD/libsocksify.so"
if [ -r "$BUILD/i386/libsocksify.so" ]; then
  libc32=$(gcc -m32 -print-file-name=libc.so.6)
  check "all names in the C library of 32 bits" libc_has_no_other "$libc32" "$BUILD/i386/libsocksify.so"
fi
