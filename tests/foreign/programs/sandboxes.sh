#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that restrict or watch themselves: Chromium, tor's sandbox, AddressSanitizer; and Go with cgo, which is refused.
. "${0%/*}/../../lib/harness.sh"

# Chromium's network service has a process of its own. It would resolve names by UDP and use QUIC, if this were not off.
by_chromium() {
  LIMIT=120 through chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --user-data-dir="$WORK/chromium" \
    --disable-background-networking --disable-component-update --dump-dom "http://$WEB/page.html" >got
  has got 'a page with a picture'
  saw_only_peer web
  logged web '"GET /picture.png'
}
checks_chromium() {
  "$LAUNCHER" -s "$SOCKS" --check chromium >got
  has got '^ok   socks4 '
  has got '^warn program  chromium: '
}

# It connects to its bridge, which is not one really: the TLS handshake fails.
by_tor() {
  mkdir -p -m 700 tor
  printf '%s\n' 'Sandbox 1' "DataDirectory $WORK/tor" 'SocksPort auto' 'Log notice stdout' 'UseBridges 1' "Bridge $APP" >torrc
  start_through tor tor -f torrc --defaults-torrc /dev/null
  logged tor 'Bootstrapped 10% .conn_done.: Connected to a relay'
  logged app '^peer'
  saw_only_peer app
  kill -KILL "${servers[-1]}"
  never_logged tor 'Bad system call|Sandbox. Caught'
}

# AddressSanitizer's runtime has to be loaded before all other libraries.
by_sanitized() { # the options of gcc
  gcc -fsanitize=address "$@" -o sanitized -x c - <<'END'
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char** words) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(count > 2 ? atoi(words[2]) : 0)};
  char* text = calloc(1, 100);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, words[1], &to.sin_addr);
  if (connect(fd, (struct sockaddr*)&to, sizeof to) == 0 && read(fd, text, 99) > 0)
    fputs(strtok(text, ":"), stdout), putchar('\n');
  free(text);
  return close(fd) + (count > 3 ? text[0] : 0);
}
END
  prints "app $PEER" through ./sanitized "${APP%:*}" "${APP#*:}"
  saw_only_peer app
  # It still finds the program's faults.
  fails through ./sanitized "${APP%:*}" "${APP#*:}" fault 2>faults
  has faults 'AddressSanitizer: heap-use-after-free'
}

# Go makes its system calls without the C library, even where it uses that library.
refuses_go() {
  cat >main.go <<'END'
package main

// #include <stdlib.h>
import "C"
import "net"

func main() {
	C.free(nil)
	net.Dial("tcp", "127.0.0.1:9")
}
END
  GO111MODULE=off GOCACHE=$WORK/go LIMIT=500 limit go build -o cgo main.go
  ends_with 125 through ./cgo 2>got
  has got '^socksify: ./cgo is written in Go: it does not connect through the C library$'
  ends_with 126 through sh -c ./cgo 2>got
  has got '^socksify: ./cgo is written in Go'
  fails "$LAUNCHER" -s "$SOCKS" --check ./cgo >got
  has got '^FAIL program  ./cgo: is written in Go'
}

mkdir site
echo '<p>a page with a picture</p><img src="picture.png">' >site/page.html
printf 'no picture' >site/picture.png
start_socks4d
start_app
start_web "$WORK/site"
if installed chromium; then
  check "chromium --headless" by_chromium
  check "chromium, --check" checks_chromium
fi
! installed tor || check "tor, Sandbox 1" by_tor
check "AddressSanitizer" by_sanitized
check "AddressSanitizer, linked statically" by_sanitized -static-libasan
! installed go || check "Go with cgo is refused" refuses_go
