# shellcheck shell=sh disable=SC2154 # variables of the script that sources this
# SPDX-License-Identifier: MIT
# The files of settings, for tools/socksify, which sources this where there is one: lines of NAME=VALUE, which are read,
# never executed. What makes no sense is told with file, line and the word.

our_blanks=$(printf ' \t\r')
our_names='SOCKS_SERVER SOCKS_USER NO_PROXY SOCKS_DEBUG SOCKS_LOGOUTPUT'
our_names="$our_names SOCKSIFY_BIND SOCKSIFY_DNS SOCKSIFY_FASTOPEN SOCKSIFY_LEAK SOCKSIFY_LOOPBACK SOCKSIFY_TIMEOUT"

# trim TEXT: without the blanks around it, in our_text.
trim() {
  our_text=${1#"${1%%[!"$our_blanks"]*}"}
  our_text=${our_text%"${our_text##*[!"$our_blanks"]}"}
}

# expect_one_of WORD...: our_value is one of them.
expect_one_of() {
  for our_word; do
    [ "$our_value" != "$our_word" ] || return 0
  done
  fail 125 "$our_place: $our_name: '$our_value': none of these: $*"
}

check_setting() {
  case $our_name in
    SOCKS_SERVER) check_servers "$our_place: SOCKS_SERVER" "$our_value" ;;
    SOCKS_DEBUG) expect_one_of 0 1 2 3 ;;
    SOCKSIFY_BIND) expect_one_of auto any off ;;
    SOCKSIFY_DNS) expect_one_of auto remote local ;;
    SOCKSIFY_LEAK) expect_one_of allow warn deny ;;
    SOCKSIFY_LOOPBACK) expect_one_of direct proxy ;;
    SOCKSIFY_FASTOPEN) expect_one_of 0 1 ;;
    SOCKSIFY_TIMEOUT) case $our_value in
      [1-9] | [1-9][0-9] | [1-9][0-9][0-9] | [1-9][0-9][0-9][0-9]) ;;
      *) fail 125 "$our_place: $our_name: '$our_value': not a number of seconds from 1 to 9999" ;;
    esac ;;
    SOCKS_LOGOUTPUT) case $our_value in
      stderr | /*) ;;
      *) fail 125 "$our_place: $our_name: '$our_value': neither stderr nor an absolute path" ;;
    esac ;;
  esac
}

# What is stronger: the environment, where the options are by now, and the file that was read before. An empty variable
# is a value, too, other than for the server, where it means none.
is_overridden() {
  case $our_name in
    SOCKS_SERVER) [ -n "$our_stronger_servers$our_given${our_companion-}" ] ;;
    SOCKS_USER) case $our_stronger_servers in
      *://*@*) ;;
      *) [ -n "${SOCKS_USER+set}${SOCKS_USERNAME+set}" ] ;;
    esac ;;
    NO_PROXY) [ -n "${NO_PROXY+set}${no_proxy+set}" ] ;;
    *) eval "[ -n \"\${$our_name+set}\" ]" ;;
  esac
}

take_setting() {
  case $our_line in
    *=*) trim "${our_line%%=*}" ;;
    *) fail 125 "$our_place: '$our_line': not NAME=VALUE" ;;
  esac
  our_name=$our_text
  case $our_name in
    *[!A-Z_0-9]*) our_known='' ;;
    *) our_known=$our_names ;;
  esac
  case " $our_known " in
    *" $our_name "*) ;;
    *) fail 125 "$our_place: '$our_name': no such setting; there are $our_names" ;;
  esac
  case $our_seen in
    *" $our_name "*) fail 125 "$our_place: $our_name: given twice" ;;
  esac
  our_seen="$our_seen$our_name "
  trim "${our_line#*=}"
  case $our_text in
    \"*\" | \'*\') our_text=${our_text#?} our_text=${our_text%?} ;;
  esac
  our_value=$our_text
  check_setting
  is_overridden || eval "export $our_name=\"\$our_value\""
}

read_settings() {
  if [ ! -r "$1" ] || [ -d "$1" ]; then
    fail 125 "$1: cannot be read"
  fi
  pick_servers
  our_stronger_servers=$our_servers our_seen=' ' our_number=0
  while IFS= read -r our_line || [ -n "$our_line" ]; do
    our_number=$((our_number + 1))
    our_place=$1:$our_number
    trim "$our_line"
    our_line=$our_text
    case $our_line in
      '' | \#*) ;;
      *) take_setting ;;
    esac
  done <"$1"
}

for our_file in "$our_user_file" "$our_system_file"; do
  [ ! -e "$our_file" ] || read_settings "$our_file"
done
