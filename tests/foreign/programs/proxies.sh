#!/bin/bash
# SPDX-License-Identifier: MIT
# haproxy and nginx in front of 20 servers whose names only the SOCKS server can resolve: every one is reached.
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/names.sh"
export SOCKSIFY_DNS=remote

for number in {1..20}; do
  echo "$NET.3 b$number.inside.test"
done >>hosts.server
mkdir site
head -c 100000 /dev/urandom | tee page >site/page
start_socks4d --log -
start_web "$WORK/site"

# each TEXT: a line for each server, with its number in place of NUMBER.
each() { for number in {1..20}; do printf '%s\n' "${1//NUMBER/$number}"; done; }

serves() {
  local number
  for number in {1..40}; do
    curl -sS -o got "http://$PROXY/page"
    same got page
  done
  saw_only_peer web
  for number in {1..20}; do logged socks4d "b$number\.inside\.test"; done
  nobody_asked
}
# Many clients at once.
serves_many() {
  curl -sS -Z --parallel-max 20 -o 'got.#1' "http://$PROXY/page?[1-60]"
  for number in {1..60}; do same "got.$number" page; done
  saw_only_peer web
}

start_haproxy() {
  PROXY=$NET.3:$(unused_port)
  {
    printf '%s\n' defaults ' mode http' ' timeout connect 20s' ' timeout client 60s' ' timeout server 60s' \
      'frontend all' " bind $PROXY" ' default_backend all' 'backend all' ' balance roundrobin' ' http-reuse never'
    each " server bNUMBER bNUMBER.inside.test:${WEB#*:} check inter 1s"
  } >haproxy.cfg
  start_through haproxy haproxy -db -f haproxy.cfg
  answers haproxy "$PROXY"
}
start_nginx() {
  PROXY=$NET.3:$(unused_port)
  mkdir -p nginx
  {
    printf '%s\n' 'daemon off;' 'worker_processes 2;' "user $(id -un) $(id -gn);" "pid $WORK/nginx/pid;" 'error_log stderr;' 'events { }' \
      'http {' ' access_log off;' ' upstream all {'
    each "  server bNUMBER.inside.test:${WEB#*:};"
    printf '%s\n' ' }' " server { listen $PROXY; location / { proxy_pass http://all; } }"
    printf " %s_temp_path $WORK/nginx;\n" client_body proxy fastcgi uwsgi scgi
    echo '}'
  } >nginx.conf
  start_through nginx nginx -c "$WORK/nginx.conf" -p "$WORK/nginx"
  answers nginx "$PROXY"
}

for program in haproxy nginx; do
  installed $program || continue
  start_$program
  check "$program" serves
  check "$program, many clients" serves_many
done
