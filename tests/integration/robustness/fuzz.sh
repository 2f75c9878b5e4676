#!/bin/bash
# SPDX-License-Identifier: MIT
# Each parser of foreign bytes withstands a fixed number of inputs; make fuzz runs longer.
. "${0%/*}/../../lib/harness.sh"

# The seed is fixed: the result is the same every time.
endures() {
  mkdir -p "$WORK/fuzz"
  cp "$BUILD/fuzz/$1" "$WORK/fuzz/"
  LIMIT=600 limit env BUILD="$WORK" "$TOP/tests/fuzz/run" "$1" -seed=4 -runs="$2"
}

if [ -n "$runtime" ]; then
  skip fuzz "the targets have sanitizers of their own: once is enough"
  exit
fi
for target in "$TOP"/tests/fuzz/*.cc; do
  target=$(basename "$target" .cc)
  check "$target" endures "$target" 30000
done
