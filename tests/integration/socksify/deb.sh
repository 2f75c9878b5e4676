#!/bin/bash
# SPDX-License-Identifier: MIT
# make deb: lintian accepts the package, and its contents work.
. "${0%/*}/../../lib/harness.sh"

[ -z "$runtime" ] || { skip deb "the same for a sanitized build" && exit; }
for program in dh lintian dpkg-parsechangelog; do installed "$program" || exit 0; done
version=$(sed -n 's/^VERSION := //p' "$TOP/Makefile")
build_package() { (cd "$TOP" && OUT=$WORK VERSION=$1 tools/install/debian/build); }
package=$WORK/socksify_${version}_$(dpkg --print-architecture).deb

is_clean() {
  LIMIT=200 build_package "$version" >out || { cat out && false; }
  cat out
  [ "$(cat out)" = "$package" ]
  [ -r "$package" ]
}
is_about_version() {
  [ "$(dpkg-deb -f "$package" Package Version | tr '\n' ' ')" = "Package: socksify Version: $version " ]
  [ "$(dpkg-deb -f "$package" Conflicts)" = dante-client ]
  fails build_package 99.9 2>errors
  has errors 'changelog is for version .*, not 99.9'
}
has_everything() {
  local file
  dpkg-deb -x "$package" root
  for file in bin/socksify sbin/socks4d lib/socksify/{libsocksify.so,socksify-exec,with-server,socksify-check} \
    share/man/man1/socksify.1.gz share/man/man7/libsocksify.7.gz share/man/man8/socks4d.8.gz share/doc/socksify/{copyright,changelog.gz} \
    share/bash-completion/completions/socksify share/zsh/vendor-completions/_socksify lib/systemd/system/socks4d.{service,socket}; do
    [ -r "root/usr/$file" ] || { echo "$file is missing" && false; }
  done
  [ ! -e root/usr/lib/socksify/installed ]
  [ "$(ls root)" = usr ]
  has root/usr/share/doc/socksify/copyright 'Permission is hereby granted'
  has root/usr/lib/systemd/system/socks4d.service '=/usr/sbin/socks4d .*/etc/socks4d.conf'
}
belongs_to_root() {
  dpkg-deb -c "$package" >listing
  fails grep -v ' root/root ' listing
  lacks listing '^-....w|^-.......w'
}
works() {
  SOCKSIFY_LOOPBACK=proxy limit root/usr/bin/socksify -s "$SOCKS" curl -sS "http://$WEB/page" >got
  same got site/page
  saw_only_peer web
  limit root/usr/bin/socksify --local --check curl >got
  has got "^ok +library  $WORK/root/usr/"
  has got '^ok +bind '
}

mkdir site && head -c 100000 /dev/urandom >site/page
# shellcheck disable=SC2119 # no options
start_socks4d
start_web "$WORK/site"
check "lintian" is_clean
check "the version" is_about_version
check "what is in it" has_everything
check "whose it is" belongs_to_root
check "it works" works
