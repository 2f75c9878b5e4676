#!/bin/bash
# SPDX-License-Identifier: MIT
# Folders depend in one direction: lib/layers.py has the order.
. "${0%/*}/../../lib/harness.sh"

layers() { python3 -B "$TOP/tests/lib/layers.py" "$1"; }

has_no_faults() {
  layers "$TOP" >got || { cat got; return 1; }
  same got - </dev/null
}

# A copy of the tree with one more #include.
finds() {
  rm -rf tree
  mkdir tree
  cp -r "$TOP/shim" "$TOP/tools" tree
  echo "#include \"$2\"" >>"tree/$1"
  fails layers tree >got
  has got "$3"
}

check "includes go down only, and in no circle" has_no_faults
check "an include that goes up is found" finds shim/base/fd.h kernel/real.h '^base/fd.h includes kernel/real.h: upwards$'
check "so is one from the library into a tool" finds shim/base/fd.h socks4d/net/loop.h ': upwards$'
check "so is a circle within a folder" finds shim/base/format.h base/text.h '^circle: .*base/text.h > base/format.h'
check "so is an include without its folder" finds shim/base/fd.h text.h ': write FOLDER/FILE.h$'
