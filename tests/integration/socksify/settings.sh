#!/bin/bash
# SPDX-License-Identifier: MIT
# The launcher's settings: which files it reads, what takes precedence, and its messages for mistakes.
. "${0%/*}/../../lib/harness.sh"

mkdir -p library home/.config/socksify
export HOME=$WORK/home SOCKSIFY_CONFIG=$WORK/system.conf SOCKSIFY_LIBRARY=$WORK/library/libsocksify.so
gcc -shared -nostdlib -o library/libsocksify.so -x c - <<<'int nothing;' || exit
user=$HOME/.config/socksify/config system=$SOCKSIFY_CONFIG

export "${sanitizer_options[@]}" "ASAN_OPTIONS=$reports:verify_asan_link_order=0"
launch() { limit "$LAUNCHER" "$@"; }
# gives NAME TEXT [OPTION...]: the program gets NAME=TEXT.
gives() { prints "$2" launch "${@:3}" /bin/sh -c "printf '%s\\n' \"\${$1-unset}\""; }
files() { rm -f "$user" "$system" && printf '%s\n' "$1" >"$user" && { [ $# = 1 ] || printf '%s\n' "$2" >"$system"; }; }
# refuses TEXT LINE...: with these lines in its file the launcher refuses to run, in one line.
refuses() {
  local status=0 pattern=$1
  shift
  rm -f "$user"
  printf '%s\n' "$@" >"$system"
  launch -s gate true >out 2>&1 || status=$?
  cat out
  [ $status = 125 ]
  [ "$(wc -l <out)" = 1 ]
  grep -qF "socksify: $pattern" out
}

reads_users_file() {
  files SOCKS_SERVER=gate:1
  gives SOCKSIFY_SERVER gate:1
  HOME='' refuses_without
}
refuses_without() {
  fails launch true 2>out
  has out 'no SOCKS server'
}
reads_xdg_file() {
  mkdir -p xdg/socksify
  echo SOCKS_SERVER=xdg >xdg/socksify/config
  files SOCKS_SERVER=gate
  XDG_CONFIG_HOME=$WORK/xdg gives SOCKSIFY_SERVER xdg
  XDG_CONFIG_HOME=xdg gives SOCKSIFY_SERVER gate
  XDG_CONFIG_HOME='' gives SOCKSIFY_SERVER gate
}
reads_systems_file() {
  files '' SOCKS_SERVER=gate:2
  gives SOCKSIFY_SERVER gate:2
  rm "$user"
  gives SOCKSIFY_SERVER gate:2
}
precedence() {
  files SOCKS_SERVER=user SOCKS_SERVER=system
  gives SOCKSIFY_SERVER user
  gives SOCKSIFY_SERVER option -s option
  SOCKS_SERVER=environment gives SOCKSIFY_SERVER environment
  SOCKS4_SERVER=environment gives SOCKSIFY_SERVER environment
  SOCKS_SERVER=environment gives SOCKS_SERVER unset
  SOCKSIFY_SERVER=outer gives SOCKSIFY_SERVER outer
  SOCKSIFY_SERVER=outer SOCKS_SERVER=inner gives SOCKSIFY_SERVER inner
  SOCKSIFY_SERVER=outer gives SOCKSIFY_SERVER option -s option
  ALL_PROXY=socks4://e gives SOCKSIFY_SERVER unset
  ALL_PROXY=http://e gives SOCKSIFY_SERVER user
  SOCKS_SERVER='' gives SOCKSIFY_SERVER user
  files SOCKS_DEBUG=1 $'SOCKS_DEBUG=2\nSOCKSIFY_DNS=remote\nSOCKS_SERVER=x'
  gives SOCKS_DEBUG 1
  gives SOCKSIFY_DNS remote
  SOCKS_DEBUG=0 gives SOCKS_DEBUG 0
  gives SOCKS_DEBUG 3 -d 3
  SOCKSIFY_DNS='' gives SOCKSIFY_DNS ''
}
precedence_of_lists() {
  files $'SOCKS_SERVER=x\nNO_PROXY=file'
  gives NO_PROXY file
  NO_PROXY=mine gives NO_PROXY mine
  no_proxy=mine gives NO_PROXY unset
  NO_PROXY='' gives NO_PROXY ''
  gives NO_PROXY option -n option
  no_proxy=mine gives no_proxy unset -n option
}
# A userid in a URL belongs to that server setting.
precedence_of_userids() {
  files $'SOCKS_USER=file\nSOCKS_SERVER=socks4://url@x'
  gives SOCKS_USER file
  gives SOCKS_USER unset -s socks4://me@y
  gives SOCKS_USER file -s y
  SOCKS_USERNAME=me gives SOCKS_USER unset
  gives SOCKS_USER me -u me
  files SOCKS_SERVER=socks4://url@x SOCKS_USER=system
  gives SOCKS_USER unset
}
takes_everything() {
  files "SOCKS_SERVER=a:1
SOCKS_USER=me
NO_PROXY=10.0.0.0/8, .inside
SOCKS_DEBUG=0
SOCKS_LOGOUTPUT=/tmp/log
SOCKSIFY_BIND=off
SOCKSIFY_DNS=local
SOCKSIFY_FASTOPEN=1
SOCKSIFY_LEAK=deny
SOCKSIFY_LOOPBACK=proxy
SOCKSIFY_TIMEOUT=20"
  launch env | sed 's/^SOCKSIFY_SERVER=/SOCKS_SERVER=/' | grep -E '^(SOCKS|NO_PROXY)' | grep -vE '^SOCKSIFY_(CONFIG|LIBRARY)=' | sort >got
  sort "$user" | same - got
}
takes_forms() {
  files $'# a comment = x\n\n  \t# another\n \tSOCKS_SERVER \t= \t"a:1"\t \nSOCKS_USER=\'a "b" #c\'\r\nNO_PROXY='
  gives SOCKSIFY_SERVER a:1
  gives SOCKS_USER 'a "b" #c'
  gives NO_PROXY ''
  printf SOCKS_SERVER=last >"$user"
  gives SOCKSIFY_SERVER last
  files $'SOCKS_SERVER=a\nSOCKS_USER="'
  gives SOCKS_USER '"'
  files $'SOCKS_SERVER=a\nSOCKS_USER=x=\\n*~'
  gives SOCKS_USER 'x=\n*~'
}
# shellcheck disable=SC2016 # not expanded
executes_nothing() {
  files $'SOCKS_SERVER=a\nSOCKS_USER=$(touch ran)`touch ran`;touch ran'
  gives SOCKS_USER '$(touch ran)`touch ran`;touch ran'
  refuses "$system:1: 'touch ran;SOCKS_USER': no such setting" 'touch ran;SOCKS_USER=x'
  refuses "$system:1: 'x[\$(touch ran)]': no such" 'x[$(touch ran)]=1'
  [ ! -e ran ]
}
refuses_nonsense() {
  refuses "$system:2: 'SOCKS_SERVR': no such setting; there are SOCKS_SERVER " '' SOCKS_SERVR=x
  refuses "$system:3: 'word': not NAME=VALUE" '# x' SOCKS_SERVER=y word
  refuses "$system:1: '': no such setting" =x
  refuses "$system:1: 'export SOCKS_SERVER': no such" 'export SOCKS_SERVER=x'
  refuses "$system:1: 'LD_PRELOAD': no such" LD_PRELOAD=x
  refuses "$system:1: 'PATH': no such" PATH=x
  refuses "$system:1: '*': no such" '*=x'
  refuses "$system:1: 'SOCKS_SERVER SOCKS_USER': no such" 'SOCKS_SERVER SOCKS_USER=x'
  refuses "$system:2: SOCKS_USER: given twice" SOCKS_USER=x SOCKS_USER=y
}
refuses_values() {
  refuses "$system:1: SOCKS_SERVER: 'socks5://h': SOCKS4 only" SOCKS_SERVER=socks5://h
  refuses "$system:2: SOCKS_SERVER: 'h:x': the port" '' SOCKS_SERVER=a:1,h:x
  refuses "$system:1: SOCKS_SERVER: '': the host is missing" SOCKS_SERVER=
  refuses "$system:1: SOCKS_DEBUG: 'lots': not a number from 0 to 3" SOCKS_DEBUG=lots
  refuses "$system:1: SOCKS_LOGOUTPUT: 'log': neither stderr" SOCKS_LOGOUTPUT=log
  refuses "$system:1: SOCKSIFY_BIND: 'on'" SOCKSIFY_BIND=on
  refuses "$system:1: SOCKSIFY_DNS: 'x': not auto, local or remote" SOCKSIFY_DNS=x
  refuses "$system:1: SOCKSIFY_LEAK: ''" SOCKSIFY_LEAK=
  refuses "$system:1: SOCKSIFY_LOOPBACK: 'x'" SOCKSIFY_LOOPBACK=x
  refuses "$system:1: SOCKSIFY_TIMEOUT: '0': not a number of sec" SOCKSIFY_TIMEOUT=0
}
# An unreadable file might name a server, so it must not be skipped.
refuses_unreadable() {
  rm -f "$user" "$system"
  mkdir "$user"
  refuses_settings "$user" "it is a directory"
  rmdir "$user"
  echo SOCKS_SERVER=x >"$system"
  chmod 000 "$system"
  [ "$(id -u)" = 0 ] || refuses_settings "$system" "Permission denied"
}
refuses_loop() {
  rm -f "$user"
  ln -sf config "$user"
  refuses_settings "$user" "Too many levels of symbolic links"
  rm "$user"
}
refuses_settings() {
  fails launch -s x true 2>out
  prints "socksify: $1: cannot be read: $2" cat out
}
# Nor files that block or never end.
refuses_other_files() {
  rm -f "$user"
  mkfifo pipe
  SOCKSIFY_CONFIG=pipe refuses_settings pipe "it is a pipe"
  head -c 65537 /dev/zero | tr '\0' '\n' >"$system"
  refuses_settings "$system" "it is too large"
  SOCKSIFY_CONFIG=/dev/zero refuses_settings /dev/zero "it is not a regular file"
  printf 'SOCKS_USER=a\0b' >"$system"
  fails launch -s x true 2>out
  has out "^socksify: $system:1: there is a zero byte"
  rm "$system"
  SOCKSIFY_CONFIG=/dev/null launch -s x true
}
changes_no_others() {
  files $'SOCKS_SERVER=x\nSOCKS_USER=me'
  env SOCKS_SERVER=x SOCKS_USER=me /usr/bin/env | grep -v ^_= | sort >expected
  "$LAUNCHER" /usr/bin/env | grep -vE '^(LD_PRELOAD|_)=' | sed 's/^SOCKSIFY_SERVER=/SOCKS_SERVER=/' | sort >actual
  same expected actual
}

sets_level() {
  gives SOCKS_DEBUG 2 -s x -d 2
  SOCKS_DEBUG=3 gives SOCKS_DEBUG 0 -s x -d 0
  gives SOCKS_DEBUG 2 -s x -d 1 -v
  refuses_option -d 4
  refuses_option -d x
}
refuses_option() {
  fails launch -s x "$@" true >out 2>&1
  has out "^socksify: $1: '$2': "
  [ "$(wc -l <out)" = 1 ]
}
sets_file() {
  gives SOCKS_LOGOUTPUT "$WORK/file" -s x -o "$WORK/file"
  gives SOCKS_LOGOUTPUT "$WORK/a file" -s x -o 'a file'
  gives SOCKS_LOGOUTPUT stderr -s x -o stderr
  refuses_log /no/such/file
}
refuses_log() {
  fails launch -s x -o "$1" true 2>out
  prints "socksify: -o: '$1': cannot be written" cat out
}

# The quoting survives a shell.
prints_environment() {
  local odd=$'it\'s "$(x)" \\ \n*`'
  SOCKS4_SERVER=old SOCKS_USER=$odd launch -s gate:2 -n "$odd" -d 1 --env >settings
  # shellcheck disable=SC2016 # for the shell that is started
  env -i PATH="$PATH" SOCKS4_SERVER=old odd="$odd" \
    sh -c '. ./settings && [ "$SOCKS_USER" = "$odd" ] && [ "$NO_PROXY" = "$odd" ] && [ "${SOCKS4_SERVER-unset}" = unset ] &&
      [ "${SOCKS_SERVER-unset} $SOCKSIFY_SERVER $SOCKS_DEBUG" = "unset gate:2 1" ] && [ "$LD_PRELOAD" = "$1" ]' sh "$SOCKSIFY_LIBRARY"
}
# Of two variables of a setting, the one that the option does not set could take precedence.
unsets_others() {
  # shellcheck disable=SC2016 # for the shell that is started
  no_proxy=old SOCKS_USERNAME=old LAUNCHER=$LAUNCHER sh -c 'eval "$("$LAUNCHER" -s gate -n new -u me --env)"
    [ "$NO_PROXY ${no_proxy-unset} $SOCKS_USER ${SOCKS_USERNAME-unset}" = "new unset me unset" ]'
  launch -s gate --env >out
  fails grep -E "no_proxy|SOCKS_USERNAME" out
}
prints_files_settings() {
  files $'SOCKS_SERVER=gate\nSOCKSIFY_BIND=off'
  launch --env >out
  has out "^export SOCKSIFY_SERVER='gate'$"
  has out "^export SOCKSIFY_BIND='off'$"
}
runs_shell() {
  # shellcheck disable=SC2016 # for the shell that is started
  SHELL=/bin/dash prints "gate $SOCKSIFY_LIBRARY /bin/dash" launch -s gate --shell < <(echo 'echo "$SOCKSIFY_SERVER $LD_PRELOAD $SHELL"')
}
marks_prompt() {
  local name=$1
  # In a pseudo-terminal, because a shell shows no prompt without one.
  SHELL=$(command -v "$name") HOME=$WORK ends_with 5 limit script -qec "$LAUNCHER -s gate --shell" /dev/null < <(echo 'exit 5') >out
  has out '\(socksify\) '
}
refuses_mixtures() {
  local words
  while read -ra words; do
    fails launch "${words[@]}" >out 2>&1
    lines 1 out
    has out '^socksify: '
  done <<END
-s x --shell --env
-s x --shell true
-s x --env true
-s x --local true
-s x --ssh gate true
--local --ssh gate true
--ssh gate --env
--local
--ssh
--ssh -oProxyCommand=x true
--ssh= true
--shell=x
-d
-s x -o
END
}

check "the user's file" reads_users_file
check "XDG_CONFIG_HOME" reads_xdg_file
check "the system's file" reads_systems_file
check "what takes precedence" precedence
check "which NO_PROXY" precedence_of_lists
check "whose userid" precedence_of_userids
check "every setting" takes_everything
check "blanks, comments, quotes" takes_forms
check "nothing is executed" executes_nothing
check "malformed lines" refuses_nonsense
check "values that make no sense" refuses_values
check "a file that cannot be read" refuses_unreadable
check "a symbolic link to itself" refuses_loop
rm -f "$system"
check "what is no file" refuses_other_files
rm -f "$system"
check "other variables are kept" changes_no_others
rm -f "$user"
check "-d" sets_level
check "-o" sets_file
check "--env" prints_environment
check "--env, variables that an option replaces" unsets_others
check "--env, settings of a file" prints_files_settings
check "--shell" runs_shell
check "options that do not go together" refuses_mixtures
rm -f "$user"
check "--shell, the prompt of sh" marks_prompt sh
check "--shell, the prompt of bash" marks_prompt bash
