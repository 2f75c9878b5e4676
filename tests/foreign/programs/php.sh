#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what PHP calls variables
# PHP: its core, and its extensions curl, ftp and sockets, which it loads with RTLD_DEEPBIND.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/names.sh"

# fetches SCRIPT [ADDRESS]: the script prints the page of the web server.
fetches() {
  through php -r "$1" "http://${2:-$WEB}/page" >got
  same got page
  saw_only_peer web
}
by_core() { fetches 'readfile($argv[1]);' "$@"; }
by_curl() { fetches '$page = curl_init($argv[1]); curl_exec($page) or die(curl_error($page) . "\n");' "$@"; }
by_curl_multi() {
  prints "same: 10" through php -r '$multi = curl_multi_init();
    foreach (range(1, 10) as $number) {
      curl_setopt($all[] = curl_init($argv[1]), CURLOPT_RETURNTRANSFER, true);
      curl_multi_add_handle($multi, end($all));
    }
    do { curl_multi_exec($multi, $running); curl_multi_select($multi); } while ($running);
    $page = file_get_contents("page");
    echo "same: ", count(array_filter($all, fn($one) => curl_multi_getcontent($one) === $page)), "\n";' "http://$WEB/page"
  saw_only_peer web
}
by_name() {
  in_mode remote "$1" "$(named web "$WEB")"
  nobody_asked
}
by_sockets() {
  prints "to ${APP%:*} from $PEER"$'\none' through php -r '$socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
    socket_connect($socket, $argv[1], $argv[2]) or die("failed\n");
    socket_getpeername($socket, $to);
    socket_getsockname($socket, $from);
    echo "to $to from $from\n";
    socket_write($socket, "echo one\nend\n");
    while (($part = socket_read($socket, 1000)) != "") @$all .= $part;
    echo explode("\n", $all)[1], "\n";' "${APP%:*}" "${APP#*:}"
  saw_only_peer app
}
# Without waiting, and then by stream_select().
by_streams() {
  prints one through php -r '$socket = stream_socket_client("tcp://$argv[1]", $code, $text, 9,
      STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
    [$none, $ready, $never] = [null, [$socket], null];
    stream_select($none, $ready, $never, 9);
    fwrite($socket, "echo one\nend\n");
    echo explode("\n", stream_get_contents($socket))[1], "\n";' "$APP"
  saw_only_peer app
}
is_refused() {
  prints $'111\n7' through php -r '@fsockopen($argv[1], 9, $code);
    $page = curl_init("http://$argv[1]:9/");
    curl_exec($page);
    echo $code, "\n", curl_errno($page), "\n";' "$NET.3"
}
by_ftp() { # active or passive
  cp page get.bin
  through php -r '[$own, $host, $port, $way] = $argv;
    $ftp = ftp_connect($host, $port, 9);
    ftp_login($ftp, "anonymous", "me@example.org") or die("not logged in\n");
    ftp_pasv($ftp, $way == "passive") or die("not $way\n");
    ftp_get($ftp, "got", "get.bin") or die("not received\n");
    ftp_put($ftp, "in/up", "got") or die("not sent\n");
    in_array("get.bin", ftp_nlist($ftp, ".")) or die("not listed\n");' "${FTP%:*}" "${FTP#*:}" "$1"
  same got page
  same site/in/up page
  saw_only_peer ftp
  rm site/in/up
  logged ftp "command $2"
}
by_stream_ftp() {
  through php -r 'readfile($argv[1]);' "ftp://$FTP/get.bin" >got
  same got page
  saw_only_peer ftp
}

mkdir -p site/in
head -c 300000 /dev/urandom | tee page site/get.bin >site/page
start_socks4d
start_app
start_web "$WORK/site"
start_ftp "$WORK/site"
installed php || exit
for extension in '' curl ftp sockets; do
  php -r "exit((int) !extension_loaded('${extension:-core}'));" || { skip "php, $extension" "not installed" && exit; }
done
check "php, the core" by_core
check "php, the core, by name" by_name by_core
check "php, curl" by_curl
check "php, curl, by name" by_name by_curl
check "php, curl, many at once" by_curl_multi
check "php, sockets" by_sockets
check "php, streams" by_streams
check "php, refused" is_refused
check "php, ftp, passive" by_ftp passive PASV
check "php, ftp, active" by_ftp active PORT
check "php, ftp://" by_stream_ftp
