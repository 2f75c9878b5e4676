#!/bin/bash
# SPDX-License-Identifier: MIT
# The sources pass shellcheck, mandoc -Tlint and the warnings of clang.
. "${0%/*}/../../lib/harness.sh"

# The project's files, found without git: there may be no repository.
files() { (cd "$TOP" && find . -path ./.git -prune -o -path ./build -prune -o -type f -print | sort); }
# By its name, or by its first line.
shell_scripts() {
  files | xargs -d '\n' awk 'FNR == 1 && (FILENAME ~ /[.]sh$/ || /^#! ?\/bin\/(ba)?sh/) { print FILENAME } { nextfile }'
}

# Each file by itself: to read everything that it sources (-x) would take three times as long. What depends on other files is
# left out: variables that they set or use (set -u finds those that nobody sets), and `cd` in scripts that run under set -e.
shellcheck_has_nothing_to_say() {
  cd "$TOP"
  shell_scripts | xargs -P 2 -n 50 shellcheck -e SC1091,SC2034,SC2153,SC2154,SC2164
}
manuals_are_clean() { mandoc -Tlint -Wwarning "$TOP"/man/*.[1-8]; }
# -fsyntax-only gives all warnings. What the fuzz targets use was built by clang before, with the same warnings.
clang_has_nothing_to_say() {
  local source objects=()
  cd "$TOP"
  for source in shim/*/*.cc shim/*/*/*.cc tools/*/*.cc tools/*/*/*.cc tests/unit/*.cc tests/unit/*/*.cc; do
    source=${source%.cc}.o
    [ -e "$BUILD/fuzz/$source" ] || objects+=("$WORK/clang/$source")
  done
  env -u MAKEFLAGS -u MAKELEVEL -u CXXFLAGS -u SAN make -j2 CXX=clang++ CC="clang -fsyntax-only -Wno-unused-command-line-argument" CXXFLAGS="-O0 -fsyntax-only" \
    "BUILD=$WORK/clang" "${objects[@]}" programs >"$WORK/make.log" 2>&1 ||
    { grep -E '(error|warning): |\*\*\*' -A 5 "$WORK/make.log" && false; }
}
readme_is_short() { [ "$(wc -l <"$TOP/README.md")" -le 200 ]; }
# No file names a directory of the machine where it was written.
no_paths_of_one_machine() {
  files | sed "s|^\.|$TOP|" | xargs -d '\n' grep -nIE '(^|[^a-zA-Z0-9_.}])/(work|root|home)/' >found || true
  is_empty found
}

[ -z "$runtime" ] || { skip quality "the same for a sanitized build" && exit; }
! installed shellcheck || check "shellcheck" shellcheck_has_nothing_to_say
! installed mandoc || check "mandoc -Tlint" manuals_are_clean
check "README of at most 200 lines" readme_is_short
check "no paths of this machine" no_paths_of_one_machine
! installed clang++ || check "clang compiles without a warning" clang_has_nothing_to_say
