# shellcheck shell=bash disable=SC2034,SC2154 # variables of harness.sh and the scripts
# SPDX-License-Identifier: MIT
# socksify --check and its findings. Source this after harness.sh.

export SOCKSIFY_DNS=local # this machine's DNS servers do not matter

# says STATUS LINE... -- ARGUMENT...: --check exits with STATUS and prints these lines (patterns); no other line says FAIL.
says() {
  local expected=$1 lines=() status=0 line found failures=0 expected_failures=0
  shift
  while [ "$1" != -- ]; do
    lines+=("$1")
    shift
  done
  shift
  checked "$@" >findings || status=$?
  mapfile -t found <findings
  printf '%s\n' "${found[@]}"
  [ "$status" = "$expected" ] || { echo "exit status $status, not $expected" && false; }
  for line in "${lines[@]}"; do
    contains "^$line" "${found[@]}" || { echo "no line matches $line" && false; }
    [[ $line != FAIL* ]] || expected_failures=$((expected_failures + 1))
  done
  for line in "${found[@]}"; do [[ $line != FAIL* ]] || failures=$((failures + 1)); done
  [ $failures = $expected_failures ]
}
checked() {
  local -x SOCKSIFY_LIBRARY=${LIBRARY:-$BUILD/libsocksify.so}
  local settings=()
  [ -z "$runtime" ] || settings=(env "LD_PRELOAD=$runtime")
  [[ $BUILD != *san-* ]] || settings=(env "${settings[@]:1}" "${sanitizer_options[@]}" "ASAN_OPTIONS=$reports:verify_asan_link_order=0:detect_leaks=0")
  limit "${settings[@]}" "$LAUNCHER" -s "$SOCKS" ${USERID:+-u "$USERID"} --check "$@"
}

good='ok +program  .*: dynamically linked, [36][24] bits'
loaded='ok +library  .*libsocksify.so: loaded by /lib'

program='int main(void) { return 0; }'
compile() { "${@:2}" -x c - -o "$1" <<<"$program"; }
script() {
  printf '%s\n' "$2" >"$1"
  chmod 755 "$1"
}
