#!/bin/bash
# SPDX-License-Identifier: MIT
# make install and make uninstall: the installation works in its place, for 32-bit and 64-bit programs, and is removed
# completely.
. "${0%/*}/../../lib/harness.sh"

[ -z "$runtime" ] || { skip install "the same for a sanitized build" && exit; }
# Installs what is built already: make would build it again, perhaps with another compiler.
placing() { (cd "$TOP" && env PREFIX="$prefix" DESTDIR="${DESTDIR:-}" SYSCONFDIR="${SYSCONFDIR:-/etc}" BUILD="$BUILD" tools/install/install.sh "$@"); }
prefix=$WORK/prefix
everything() { (cd "$1" && find . | sort); }

mkdir site && head -c 100000 /dev/urandom >site/page
export SOCKSIFY_LOOPBACK=proxy
installed_socksify() { limit "$prefix/bin/socksify" "$@"; }
fetches() {
  installed_socksify "${@:--s}" "$SOCKS" curl -sS "http://$WEB/page" >got
  same got site/page
  saw_only_peer web
}

by_make() {
  local plan
  plan=$(env -u MAKEFLAGS -u MAKELEVEL make -C "$TOP" -n "BUILD=$BUILD" PREFIX=/some/prefix DESTDIR=/dest SYSCONFDIR=/conf install)
  grep -qF "PREFIX='/some/prefix' DESTDIR='/dest' SYSCONFDIR='/conf' BUILD='$BUILD' tools/install/install.sh install" <<<"$plan"
  env -u MAKEFLAGS -u MAKELEVEL make -C "$TOP" -n uninstall | grep -qF "PREFIX='/usr/local' DESTDIR='' SYSCONFDIR='/etc' BUILD='build' tools/install/install.sh uninstall"
}
installs() {
  mkdir -p prefix/share/man "prefix/own folder"
  echo mine >prefix/share/man/own
  everything prefix >before
  placing install
  fetches -s
  [ -x prefix/sbin/socks4d ]
}
runs_own_server() {
  installed_socksify --local --check curl >got
  has got "^ok +library  $prefix/bin/../lib/socksify/"
  has got '^ok +bind '
}
runs_by_link() {
  mkdir -p links
  ln -sf ../prefix/bin/socksify links/socksify
  limit links/socksify -s "$SOCKS" curl -sS "http://$WEB/page" >got
  same got site/page
}
serves() {
  start installed prefix/sbin/socks4d --listen "$NET.1:0" --bind-address "$PEER"
  announced installed
  SOCKS=$ADDRESS fetches -s
}
# From the file in SYSCONFDIR.
has_settings() {
  SYSCONFDIR=$WORK/etc placing install
  mkdir -p etc
  echo "SOCKS_SERVER=$SOCKS" >etc/socksify.conf
  SOCKSIFY_CONFIG='' limit prefix/bin/socksify curl -sS "http://$WEB/page" >got
  same got site/page
  has prefix/lib/systemd/system/socks4d.service "$WORK/etc/socks4d.conf"
}
has_manuals() {
  local page
  for page in "$TOP"/man/*.[0-9]; do same "$page" "prefix/share/man/man${page##*.}/${page##*/}"; done
  [ -z "$(find prefix -name '*~' -o -perm /022 ! -type l)" ]
}
compile_32() {
  gcc -m32 -o thirty-two -x c - <<'END'
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char** argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
  char text[256];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, argv[1], &address.sin_addr);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0)
    return perror("connect"), 1;
  return write(1, text, read(fd, text, sizeof text)) < 0;
}
END
  file_is_32 thirty-two
}
both_sizes() {
  installed_socksify -s "$SOCKS" ./thirty-two "${APP%:*}" "${APP#*:}" >got 2>errors
  has got "^app $PEER:"
  is_empty errors
  # A 64-bit program starts a 32-bit one.
  installed_socksify -s "$SOCKS" sh -c "./thirty-two ${APP/:/ }; curl -sS 'http://$WEB/page' >page" >got 2>errors
  has got "^app $PEER:"
  is_empty errors
  same page site/page
  saw_only_peer web
  saw_only_peer app
  installed_socksify -s "$SOCKS" --check ./thirty-two >got
  has got '^ok +program  .*, 32 bits'
  has got '^ok +library  .*: loaded by /lib/ld-linux.so.2'
}
file_is_32() { [ "$(head -c 5 "$1" | tail -c 1 | od -An -tx1 | tr -d ' ')" = 01 ]; }
refuses_other_sizes() {
  gcc -m32 -static -o static32 -x c - <<<'int main(void) { return 0; }'
  ends_with 125 installed_socksify -s gate ./static32 2>errors
  has errors 'static32 is statically linked'
  # For another processor: ARM in e_machine.
  cp thirty-two arm
  printf '\x28' | dd of=arm bs=1 seek=18 conv=notrunc 2>/dev/null
  fails installed_socksify -s gate ./arm 2>errors
  has errors 'is for another kind of processor'
}
uninstalls() {
  placing uninstall
  everything prefix >after
  same before after
  fails placing uninstall 2>errors
  has errors 'nothing is installed'
}
# Other people's files in our directories stay.
spares_others() {
  placing install
  touch prefix/lib/socksify/others
  placing uninstall
  [ "$(cd prefix/lib && find . ! -type d)" = ./socksify/others ]
  rm -r prefix/lib
}
replaces() {
  placing install
  echo "file $prefix/lib/socksify/of-an-older-version" >>prefix/lib/socksify/installed
  touch prefix/lib/socksify/of-an-older-version
  placing install
  [ ! -e prefix/lib/socksify/of-an-older-version ]
  placing uninstall
  everything prefix >after
  same before after
}
stages() {
  local prefix=/opt/some DESTDIR="$WORK/stage area"
  placing install
  [ -x "$DESTDIR/opt/some/bin/socksify" ]
  [ ! -e /opt/some/bin/socksify ]
  has "$DESTDIR/opt/some/lib/systemd/system/socks4d.service" /opt/some/sbin/socks4d
  placing uninstall
  [ -z "$(find "$DESTDIR" -mindepth 1)" ]
}

refuses_places() {
  local prefix
  for prefix in relative '' "$WORK/a b" "$WORK/a:b" "$WORK/\$LIB"; do
    fails placing install 2>errors
    [ "$(wc -l <errors)" = 1 ]
    has errors '^make install: PREFIX=.* (has to begin with /|has a blank, a colon or a dollar sign in it)$'
  done
  [ ! -e "$WORK/a b" ]
  [ ! -e "$TOP/relative" ]
}

# --- completion, with the words split as readline does
# shellcheck disable=SC2016 # for the shell that is started
completes() {
  local expected=$1
  shift
  prints "$expected" bash -c '. "$1" && shift && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _socksify && printf "%s\n" "${COMPREPLY[@]}"' bash \
    "$TOP/tools/install/completion/socksify.bash" "$@"
}
completes_in_bash() {
  completes --ssh socksify --ss
  completes $'--check' socksify -s gate --ch
  completes $'0\n1\n2\n3' socksify -d ''
  completes socks4a:// socksify -s socks4a
  completes root socksify -u roo
  completes '' socksify -s gate curl --he
  mkdir -p commands
  touch commands/a-long-name
  chmod 755 commands/a-long-name
  PATH=$PATH:$WORK/commands completes a-long-name socksify -v a-long
}
# The command's own completion, with the package bash-completion.
# shellcheck disable=SC2016 # for the shell that is started
completes_command() {
  prints --same-owner bash -c '. /usr/share/bash-completion/bash_completion && . "$1" && shift
    _of_tar() { COMPREPLY=(--same-owner); } && complete -F _of_tar tar
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*"
    COMP_POINT=${#COMP_LINE}
    _socksify && printf "%s\n" "${COMPREPLY[@]}"' bash "$TOP/tools/install/completion/socksify.bash" socksify -s gate tar --sa
}
knows_every_option() {
  local option
  for option in $("$LAUNCHER" --help | grep -oE '^  -[-a-z]+|, --[a-z]+' | tr -d ' ,') --json; do
    grep -qE -- "[ ']${option}[ ']" "$TOP/tools/install/completion/socksify.bash"
    grep -qE -- "${option}(\+|=|\[)" "$TOP/tools/install/completion/_socksify"
  done
}
# In a pseudo-terminal: what TAB makes of a line.
completes_in_zsh() {
  cat >complete.zsh <<'END'
zmodload zsh/zpty
fpath=($1 $fpath)
zpty shell "zsh -f -i"
line() { zpty -w shell "$1"; }
line "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; PS1='ready> '; zstyle ':completion:*' list-prompt ''"
zpty -w -n shell $'socksify --ch\t\C-aprint -r -- \C-e\n'
zpty -w -n shell $'socksify -s gate --loc\t\C-aprint -r -- \C-e\n'
zpty -w -n shell $'socksify --ssh gate --she\t\C-aprint -r -- \C-e; exit\n'
while zpty -r shell output; do print -r -- $output; done
END
  limit zsh -f complete.zsh "$TOP/tools/install/completion" >got
  has got '^socksify --check'
  has got '^socksify -s gate --loc[^a]'
  has got '^socksify --ssh gate --shell'
}

# --- systemd
units_are_good() {
  mkdir -p units
  sed "s|/usr/sbin/socks4d|$BUILD/socks4d|; /^Documentation/d" "$TOP/tools/install/systemd/socks4d.service" >units/socks4d.service
  sed '/^Documentation/d' "$TOP/tools/install/systemd/socks4d.socket" >units/socks4d.socket
  systemd-analyze verify units/* 2>&1 | tee got
  [ ! -s got ]
}
unit_is_confined() { systemd-analyze security --offline=yes --threshold=20 "$TOP/tools/install/systemd/socks4d.service"; }
# Runs its command as systemd does when the first client connects.
activate() {
  local line port
  read -ra line < <(sed -n "s/^ExecStart=//p" "$TOP/tools/install/systemd/socks4d.service" |
    sed "s|/usr/sbin/socks4d|$BUILD/socks4d|; s|/etc/socks4d.conf|$WORK/socks4d.conf|")
  port=$(unused_port)
  start "$1" systemd-socket-activate -l "$NET.4:$port" "${line[@]}"
  await has "$1.log" "Listening on $NET.4:$port" >/dev/null
  SOCKS=$NET.4:$port
}
unit_is_activated() {
  rm -f socks4d.conf
  activate unit
  "$LAUNCHER" -s "$SOCKS" curl -sS "http://$WEB/page" >got
  same got site/page
  logged unit ' command=connect |connect'
}
unit_takes_configuration() {
  echo nonsense >socks4d.conf
  activate unit2
  fails limit "$LAUNCHER" -s "$SOCKS" curl -sS "http://$WEB/page" >got
  logged unit2 "$WORK/socks4d.conf:1: \"nonsense\": unknown"
}

# shellcheck disable=SC2119 # no options
start_socks4d
start_web "$WORK/site"
start_app
check "make install and uninstall" by_make
check "install" installs
check "--local and --check, installed" runs_own_server
check "through a symbolic link" runs_by_link
check "socks4d, installed" serves
check "manuals and file modes" has_manuals
if [ -r "$BUILD/i386/libsocksify.so" ]; then
  check "a 32-bit program can be built" compile_32
  runs_32_bits "programs of both word sizes" && check "programs of both word sizes" both_sizes
  check "programs without a matching library" refuses_other_sizes
else
  skip "both word sizes" "only one has been built"
fi
check "uninstall" uninstalls
check "other people's files stay" spares_others
check "install again" replaces
check "DESTDIR" stages
check "bad values of PREFIX" refuses_places
check "SYSCONFDIR" has_settings
check "bash completion" completes_in_bash
[ ! -r /usr/share/bash-completion/bash_completion ] || check "bash completion of the command" completes_command
check "completion has every option" knows_every_option
! installed zsh || check "zsh completion" completes_in_zsh
if installed systemd-analyze; then
  check "units" units_are_good
  check "the unit is confined" unit_is_confined
fi
if installed systemd-socket-activate; then
  check "the unit, with a socket" unit_is_activated
  check "the unit, with a configuration" unit_takes_configuration
fi
