# shellcheck shell=sh disable=SC2154 # variables of the script that sources this
# SPDX-License-Identifier: MIT
# What tools/socksify does besides running a command: --check, --shell, --env, and servers of its own: --local, --ssh. It
# sources this when one of these is asked for.

our_mode='' our_json='' our_companion=''
take_mode() {
  [ -z "$our_mode" ] || fail 125 "--$our_mode and --$1: one of them only"
  our_mode=$1
}
take_companion() {
  [ -z "$our_companion" ] || fail 125 "--$our_companion and --$1: one server only"
  [ -z "$our_given" ] || fail 125 "-s and --$1: one server only"
  our_companion=$1
}
for our_word in $our_extra; do
  case $our_word in
    json) our_json=--json ;;
    local | ssh) take_companion "$our_word" ;;
    *) take_mode "$our_word" ;;
  esac
done

# What the launcher finds wrong is a finding like others.
if [ "$our_mode" = check ]; then
  fail() {
    shift
    exec "$our_helpers/socksify-check" $our_json --failed "$*"
  }
fi

case $our_mode in
  check) ;;
  *) [ -z "$our_json" ] || fail 125 "--json goes with --check" ;;
esac
case $our_mode in
  check) ;;
  '') [ $# != 0 ] || fail 125 "no command; see socksify --help" ;;
  *) [ $# = 0 ] || fail 125 "--$our_mode takes no command" ;;
esac
[ "$our_mode" != env ] || [ -z "$our_companion" ] || fail 125 "--env and --$our_companion: the server would end at once"
case $our_companion$our_gateway in
  ssh | ssh-*) fail 125 "--ssh: '$our_gateway': not the name of a host" ;;
esac

# quote TEXT: as one word for the shell, in our_text.
quote() {
  our_rest=$1 our_text=\'
  while :; do
    case $our_rest in
      *\'*) our_text=$our_text${our_rest%%\'*}\'\\\'\' our_rest=${our_rest#*\'} ;;
      *) break ;;
    esac
  done
  our_text=$our_text$our_rest\'
}

print_variable() {
  quote "$2"
  printf 'export %s=%s\n' "$1" "$our_text"
}

print_environment() {
  [ -z "$our_given" ] || echo 'unset SOCKS4_SERVER'
  for our_name in SOCKS4_SERVER SOCKS_SERVER SOCKS_USER SOCKS_USERNAME NO_PROXY no_proxy SOCKS_DEBUG SOCKS_LOGOUTPUT \
    SOCKSIFY_BIND SOCKSIFY_DNS SOCKSIFY_FASTOPEN SOCKSIFY_LEAK SOCKSIFY_LOOPBACK SOCKSIFY_SESSION SOCKSIFY_TIMEOUT; do
    eval "[ -z \"\${$our_name+set}\" ] || print_variable $our_name \"\$$our_name\""
  done
  print_variable LD_PRELOAD "$our_preload"
}

# bash and most shells set PS1 in their own files; what PROMPT_COMMAND says comes after those.
mark_prompt() {
  case ${SHELL##*/} in
    bash) export PROMPT_COMMAND="${PROMPT_COMMAND-PS1=\"(socksify) \$PS1\" && unset PROMPT_COMMAND}" ;;
    *) export PS1="(socksify) ${PS1-\$ }" ;;
  esac
}

# find_server: beside this in the source tree, else in PREFIX/sbin.
find_server() {
  for our_server in "$our_helpers/socks4d" "$our_helpers/../../sbin/socks4d"; do
    [ ! -x "$our_server" ] || return 0
  done
  fail 125 "--local: socks4d is missing: neither in $our_helpers nor in ../../sbin from there"
}

# run PRELOAD STEP ARGUMENT...: becomes the step, with this LD_PRELOAD, or none. A server of our own is ready by then, and
# is none of the programs that go through it.
run() {
  if [ -n "$our_companion" ]; then
    [ "$our_companion" != local ] || find_server
    exec "$our_helpers/with-server" "$our_companion" "${our_gateway:-$our_server}" "$@"
  fi
  if [ -n "$1" ]; then
    export LD_PRELOAD="$1"
  else
    unset LD_PRELOAD
  fi
  shift
  exec "$@"
}

enter_mode() {
  case $our_mode in
    env) print_environment && exit ;;
    check) run '' "$our_helpers/socksify-check" --preload "$our_preload" $our_json -- "$@" ;;
    shell)
      export SHELL="${SHELL:-/bin/sh}"
      mark_prompt
      set -- "$SHELL"
      ;;
  esac
  run "$our_preload" "$our_helpers/preload-exec" "$@"
}
