#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what other languages call variables
# Real programs reach servers whose names only the SOCKS server can resolve, and no name server is asked.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/names.sh"
. "$TOP/tests/lib/ftp.sh"

get_curl() {
  through curl -sS -o got "http://$WEB/page"
  same got page
}
get_wget() {
  through wget -q -O got "http://$WEB/page"
  same got page
}
# Its sandbox ends it for any system call that it does not use itself.
get_apt() {
  rm -f got
  through /usr/lib/apt/apt-helper -o APT::Sandbox::Seccomp=true -o APT::Sandbox::User= -o Acquire::EnableSrvRecords=false \
    download-file "http://$WEB/page" "$WORK/got"
  same got page
}
get_git() {
  rm -rf clone
  through git clone -q "http://$WEB/repository.git" clone
  same clone/page page
}
get_node() {
  through node -e 'require("http").get(process.argv[1], (reply) => reply.pipe(process.stdout))' "http://$WEB/page" >got
  same got page
}
get_java() {
  LIMIT=180 through java -Xshare:auto -XX:TieredStopAtLevel=1 Get.java "http://$WEB/page" >got
  same got page
}
get_python() {
  through "$python" -c 'import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' "http://$WEB/page" >got
  same got page
}
get_asyncio() {
  through "$python" -c 'import asyncio, sys
async def main(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    print(writer.get_extra_info("peername")[0][:5])
    writer.close()
asyncio.run(main(*sys.argv[1].split(":")))' "$WEB" >got
  same got - <<<198.1
}
get_perl() {
  through perl -e 'use IO::Socket::INET;
    my $one = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or die "$@ $!";
    print $one "GET /page HTTP/1.0\r\n\r\n";
    local $/;
    print((split /\r\n\r\n/, <$one>, 2)[1])' "$WEB" >got
  same got page
}
get_ruby() {
  through ruby -e 'require "open-uri"
    $stdout.write(URI.open(ARGV[0]).read)' "http://$WEB/page" >got
  same got page
}
# The application server is no SSH server, but it logs the greeting that it receives.
get_ssh() {
  through ssh -F none -o BatchMode=yes -o ConnectTimeout=5 -p "${APP#*:}" "${APP%:*}" true || true
  logged app "unknown .*SSH-2.0-OpenSSH"
}
get_nc() {
  printf 'echo one\nend\n' | through nc -N "${APP%:*}" "${APP#*:}" >got
  has got '^one$'
}
get_ncat() {
  printf 'echo one\nend\n' | through ncat "${APP%:*}" "${APP#*:}" >got
  has got '^one$'
}
# telnet exits when its input ends, so that stays open; its status says only that the server closed the connection.
get_telnet() {
  mkfifo typed
  exec 3<>typed
  printf 'echo one\nend\n' >&3
  through telnet "${APP%:*}" "${APP#*:}" <typed >got || true
  rm typed
  has got '^one'
}
# inetutils-ftp and ncftp check the peer of accept().
in_active_mode() {
  ftp_does "$1" "$2" ftp
  active_only ftp
  nobody_asked
}

start_repository() {
  git -c init.defaultBranch=main init -q repository
  cp page repository/
  git -C repository add page
  git -C repository -c user.name=someone -c user.email=someone@example.org commit -q -m page
  git clone -q --bare repository site/repository.git
  git -C site/repository.git update-server-info
}

mkdir site
head -c 100000 /dev/urandom | tee page >site/page
cat >Get.java <<'END'
class Get {
  public static void main(String[] words) throws Exception {
    new java.net.URL(words[0]).openStream().transferTo(System.out);
  }
}
END
ftp_files
start_repository
start_web "$WORK/site"
start_app
start_ftp "$WORK/root"
WEB=$(named web "$WEB") APP=$(named app "$APP") FTP=$(named ftp "$FTP")

# works NAME: it gets its page, and no name server is asked.
works() {
  "get_$1"
  nobody_asked
}

all="curl wget apt git node python asyncio perl ruby ssh nc ncat telnet"
start_faultless() { start_faulty by-userid; }
# With socks4d: what clients do. With faulty_socks.py, which logs: what is sent.
for socksd in socks4d faultless; do
  start_$socksd
  SOCKS=socks4a://$SOCKS
  for program in $all; do
    case $program in apt | python | asyncio) ;; *) installed "$program" || continue ;; esac
    check "$program by name, $socksd" works "$program"
  done
  if [ -n "$runtime" ]; then
    skip java "a sanitizer does not go with it"
  elif [ $socksd = socks4d ] && installed java; then
    check "java by name" works java
  fi
  for client in $ftp_clients; do
    ! installed "$(program_of "$client")" || check "$client in active mode by name, $socksd" in_active_mode "$client" get
  done
  all="curl nc" ftp_clients="inetutils_ftp lftp"
done
check "CONNECT by name" has faulty.log "^connect web.inside.test:${WEB#*:} "
check "BIND by name" has faulty.log "^bind ftp.inside.test:${FTP#*:} "
