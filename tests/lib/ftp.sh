# shellcheck shell=bash disable=SC2016,SC2034 # programs in single quotes; a list for the scripts that source this
# SPDX-License-Identifier: MIT
# The FTP clients, one function each. "by_NAME VERB" talks to the server at $FTP in active mode: get downloads get.bin to
# "got", put uploads "sent" to in/up, ls writes a listing of the top folder to "got".
ftp_clients="inetutils_ftp tnftp_eprt tnftp_port ftp_ssl lftp ncftp curl_eprt curl_port wget python perl ruby yafc"

# The classic programs read commands from a pipe and share most of them.
classic() {
  local before=$1 verb=$2 words
  shift 2
  case $verb in
    get) words="get get.bin got" ;;
    put) words="put sent in/up" ;;
    ls) words="ls . got" ;;
  esac
  printf '%s\n' "user anonymous me@example.org" "$before" binary "$words" quit | through "$@" "${FTP%:*}" "${FTP#*:}"
}
by_inetutils_ftp() { classic verbose "$1" inetutils-ftp -n "${MODE:--A}"; }
by_tnftp_eprt() { classic verbose "$1" tnftp -in "${MODE:--A}"; }
by_tnftp_port() { classic epsv4 "$1" tnftp -in -A; }
by_ftp_ssl() { classic verbose "$1" ftp-ssl -n; }

by_lftp() {
  local words
  case $1 in
    get) words="get get.bin -o got" ;;
    put) words="put sent -o in/up" ;;
    ls) words="cls -1 > got" ;;
  esac
  through lftp -c "set net:max-retries 1; set net:timeout 10; set xfer:clobber on; set ftp:passive-mode ${MODE:-off};
    open -u anonymous,me ftp://$FTP; $words"
}

by_ncftp() {
  local host=${FTP%:*} options=("${MODE:--E}" -t 10 -P "${FTP#*:}")
  case $1 in
    get) through ncftpget "${options[@]}" -r 1 -V -C "$host" get.bin got ;;
    put) through ncftpput "${options[@]}" -r 1 -V -C "$host" sent in/up ;;
    ls) through ncftpls -l "${options[@]}" "ftp://$host/" >got ;;
  esac
}

# MODE adds options here.
by_curl_eprt() {
  local options=(-sS -o got)
  [ -n "${MODE:-}" ] || options+=(-P -)
  case $1 in
    get) through curl "${options[@]}" "${@:2}" "ftp://$FTP/get.bin" ;;
    put) through curl "${options[@]}" "${@:2}" -T sent "ftp://$FTP/in/up" ;;
    ls) through curl "${options[@]}" "${@:2}" "ftp://$FTP/" ;;
  esac
}
by_curl_port() { by_curl_eprt "$1" --disable-eprt; }

by_wget() {
  case $1 in
    get) through wget -q --no-passive-ftp -O got "ftp://$FTP/get.bin" ;;
    ls) through wget -q --no-passive-ftp -O got "ftp://$FTP/" ;;
  esac
}

by_python() {
  through /usr/bin/python3 -c '
import ftplib, sys
verb, host, port, passive = sys.argv[1:]
ftp = ftplib.FTP()
ftp.connect(host, int(port), 10)
ftp.login()
ftp.set_pasv(passive == "passive")
if verb == "get":
    ftp.retrbinary("RETR get.bin", open("got", "wb").write)
elif verb == "put":
    ftp.storbinary("STOR in/up", open("sent", "rb"))
else:
    ftp.retrlines("LIST", lambda line: print(line, file=got)) if (got := open("got", "w")) else None
ftp.quit()' "$1" "${FTP%:*}" "${FTP#*:}" "${MODE:-active}"
}

by_perl() {
  through /usr/bin/perl -MNet::FTP -e '
my ($verb, $host, $port) = @ARGV;
my $ftp = Net::FTP->new($host, Port => $port, Passive => 0, Timeout => 10) or die $@;
$ftp->login("anonymous", "me") && $ftp->binary or die $ftp->message;
if ($verb eq "get") { $ftp->get("get.bin", "got") or die $ftp->message }
elsif ($verb eq "put") { $ftp->put("sent", "in/up") or die $ftp->message }
else { my @names = $ftp->ls or die $ftp->message; open my $got, ">", "got"; print $got "$_\n" for @names }
$ftp->quit' "$1" "${FTP%:*}" "${FTP#*:}"
}

by_ruby() {
  through /usr/bin/ruby -e '
require "net/ftp"
verb, host, port = ARGV
ftp = Net::FTP.new
ftp.passive = false
ftp.connect(host, port.to_i)
ftp.login
case verb
when "get" then ftp.getbinaryfile("get.bin", "got")
when "put" then ftp.putbinaryfile("sent", "in/up")
else File.write("got", ftp.nlst.join("\n") + "\n")
end
ftp.close' "$1" "${FTP%:*}" "${FTP#*:}"
}

# yafc appends to the remote name what it is told to rename to, and shows its listing to a terminal of 80 columns.
by_yafc() {
  local words
  case $1 in
    get) words="get get.bin -o got" ;;
    put) words="put sent -o in/up" ;;
    ls) words="ls" ;;
  esac
  printf 'use_passive_mode off\nauto_bookmark no\nreverse_dns no\n' >yafcrc
  printf '%s\n' "$words" quit | through yafc -q -r yafcrc -W "$WORK/yafc" "ftp://anonymous:me@$FTP" >yafc.out
  if [ "$1" = ls ]; then grep -o 'get\.bin' yafc.out >got; fi
}

# program_of CLIENT: the program that it needs.
program_of() {
  case $1 in
    inetutils_ftp) echo inetutils-ftp ;;
    tnftp_*) echo tnftp ;;
    ftp_ssl) echo ftp-ssl ;;
    ncftp) echo ncftpget ;;
    curl_*) echo curl ;;
    python) echo /usr/bin/python3 ;;
    perl | ruby) echo "/usr/bin/$1" ;;
    *) echo "$1" ;;
  esac
}

# wget cannot upload.
verbs_of() { if [ "$1" = wget ]; then echo get ls; else echo get put ls; fi; }

# Makes the server's folder, root, and the files to download and upload.
ftp_files() {
  mkdir -p root/in
  chmod 777 root/in
  head -c 300000 /dev/urandom >root/get.bin
  head -c 200000 /dev/urandom >sent
}

# ftp_does CLIENT VERB SERVER: the client succeeds, the bytes are right, and SERVER has seen only the SOCKS server.
ftp_does() {
  rm -f got root/in/up
  "by_$1" "$2"
  case $2 in
    get) same got root/get.bin ;;
    put) same sent root/in/up ;;
    ls) has got 'get\.bin' ;;
  esac
  saw_only_peer "$3"
}

# In active mode the server receives PORT or EPRT with the address of the SOCKS server, and never PASV or EPSV.
active_only() {
  logged "$1" "(PORT ${PEER//./,},|EPRT .1.$PEER.)"
  never_logged "$1" '(^command |")(PASV|EPSV)'
}
