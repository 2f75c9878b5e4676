#!/bin/sh
# SPDX-License-Identifier: MIT
# make install and make uninstall, with PREFIX, DESTDIR, SYSCONFDIR and BUILD as in the Makefile. Every installed file, and
# every directory made for it, is recorded in PREFIX/lib/socksify/installed, so that uninstall removes exactly those.
set -eu

helpers=$PREFIX/lib/socksify
list=$helpers/installed

# All paths below are final; DESTDIR is put in front of them when a file is touched.

# Makes a directory and its parents, and records those that did not exist.
make_folder() {
  [ ! -d "$DESTDIR$1/" ] || return 0
  make_folder "${1%/*}"
  mkdir "$DESTDIR$1"
  echo "folder $1" >>"$new"
}

record() {
  echo "file $1" >>"$new"
}

# place MODE SOURCE TARGET
place() {
  make_folder "${3%/*}"
  install -m "$1" "$2" "$DESTDIR$3"
  record "$3"
}

# fill_in SOURCE: writes it to $filled, with the paths of this installation.
fill_in() {
  sed "s|/etc/socks|$SYSCONFDIR/socks|g; s|/usr/sbin/|$PREFIX/sbin/|g" "$1" >"$filled"
}

# link_to TARGET LINK
link_to() {
  make_folder "${2%/*}"
  ln -sfn "$1" "$DESTDIR$2"
  record "$2"
}

loads_library() {
  [ -z "$(LD_PRELOAD="$DESTDIR$helpers/\$LIB/libsocksify.so" /bin/true 2>&1)" ]
}

# For programs of both word sizes. The dynamic linker replaces $LIB by lib/x86_64-linux-gnu or lib64 for 64 bits, and by
# lib/i386-linux-gnu, lib32 or lib for 32. On some systems lib is for 64 bits: loads_library() finds out.
place_both_sizes() {
  place 644 "$BUILD/i386/libsocksify.so" "$helpers/lib32/libsocksify.so"
  link_to ../../lib32/libsocksify.so "$helpers/lib/i386-linux-gnu/libsocksify.so"
  link_to ../../libsocksify.so "$helpers/lib/x86_64-linux-gnu/libsocksify.so"
  link_to ../libsocksify.so "$helpers/lib64/libsocksify.so"
  if loads_library; then
    link_to ../lib32/libsocksify.so "$helpers/lib/libsocksify.so"
  else
    link_to ../libsocksify.so "$helpers/lib/libsocksify.so"
  fi
}

place_everything() {
  place 755 "$BUILD/socksify" "$PREFIX/bin/socksify"
  place 755 "$BUILD/socks4d" "$PREFIX/sbin/socks4d"
  place 644 "$BUILD/libsocksify.so" "$helpers/libsocksify.so"
  for program in socksify-exec with-server socksify-check; do
    place 755 "$BUILD/$program" "$helpers/$program"
  done
  # The launcher reads this link to find the system's settings file.
  [ "$SYSCONFDIR" = /etc ] || link_to "$SYSCONFDIR/socksify.conf" "$helpers/socksify.conf"
  [ ! -r "$BUILD/i386/libsocksify.so" ] || place_both_sizes
  for page in man/*.[0-9]; do
    place 644 "$page" "$PREFIX/share/man/man${page##*.}/${page##*/}"
  done
  place 644 tools/install/completion/socksify.bash "$PREFIX/share/bash-completion/completions/socksify"
  place 644 tools/install/completion/_socksify "$PREFIX/share/zsh/${ZSH_FUNCTIONS:-site-functions}/_socksify"
  for unit in socks4d.service socks4d.socket; do
    fill_in tools/install/systemd/$unit
    place 644 "$filled" "$PREFIX/lib/systemd/system/$unit"
  done
}

# Removes files of an earlier version that this one no longer has, and records the directories that it made.
take_over() {
  [ -e "$DESTDIR$list" ] || return 0
  while read -r kind path; do
    if [ "$kind" = folder ]; then
      echo "folder $path" >>"$new"
    elif ! grep -qxF "file $path" "$new"; then
      rm -f "$DESTDIR$path"
    fi
  done <"$DESTDIR$list"
}

do_install() {
  new=$(mktemp) filled=$(mktemp)
  trap 'rm -f "$new" "$filled"' EXIT
  mkdir -p "$DESTDIR/"
  place_everything
  take_over
  record "$list"
  install -m 644 "$new" "$DESTDIR$list"
}

do_uninstall() {
  [ -r "$DESTDIR$list" ] || { echo "make uninstall: nothing is installed: there is no $DESTDIR$list" >&2 && exit 1; }
  content=$(cat "$DESTDIR$list")
  echo "$content" | while read -r kind path; do
    [ "$kind" != file ] || rm -f "$DESTDIR$path"
  done
  # The longest path first; a directory that contains files of others stays.
  echo "$content" | sed -n 's/^folder //p' | LC_ALL=C sort -ru | while read -r path; do
    rmdir "$DESTDIR$path" 2>/dev/null || true
  done
}

# The paths are recorded, and used by programs that run in other directories; LD_PRELOAD takes no path with one of these
# characters.
for setting in "PREFIX=$PREFIX" "SYSCONFDIR=$SYSCONFDIR"; do
  case $setting in
    *=/*[[:space:]:\$]*) problem='has a blank, a colon or a dollar sign in it' ;;
    *=/*) continue ;;
    *) problem='has to begin with /' ;;
  esac
  echo "make $1: $setting $problem" >&2 && exit 1
done
"do_$1"
