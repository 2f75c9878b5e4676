#!/bin/bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2016 # what JavaScript calls variables
# The newest Node and Bun, which ask the kernel for much by themselves (io_uring, their own event loops and look-ups).
. "${0%/*}/../../lib/harness.sh"
. "$TOP/tests/lib/names.sh"
node=$BUILD/foreign/node/bin/node bun=$BUILD/foreign/bun/bin/bun

# prints_through TEXT COMMAND...: it prints TEXT, and the web server has seen only the SOCKS server.
prints_through() {
  prints "$1" through "${@:2}"
  saw_only_peer web
}
script() { printf '%s\n' "$1" >script.mjs; }

fetches() {
  script 'import { readFileSync } from "node:fs";
    const page = readFileSync("page");
    const bytes = async () => Buffer.from(await (await fetch(process.argv[2])).arrayBuffer());
    const all = await Promise.all(Array.from({ length: 20 }, bytes));
    console.log("same:", all.filter((bytes) => bytes.equals(page)).length);'
  prints_through "same: 20" "$1" script.mjs "http://$2/page"
}
fetches_name() {
  in_mode remote fetches "$1" "$(named web "$WEB")"
  nobody_asked
}
http_module() { prints_through "same: 20" "$1" "$TOP/tests/programs/async/http.js" "http://$WEB/page"; }

# The events of net.Socket, in order, and what it says of its ends.
connects() {
  script 'import net from "node:net";
    const [host, port] = process.argv[2].split(":"), socket = net.connect(+port, host);
    let got = "";
    socket.on("connect", () => {
      console.log("to", socket.remoteAddress === host, "from", socket.localAddress);
      socket.write("echo one\nend\n");
    });
    socket.on("data", (part) => { got += part; });
    socket.on("end", () => { console.log(got.split("\n")[1]); });
    socket.on("close", (failed) => { console.log("closed", failed); });'
  prints "to true from $PEER"$'\none\nclosed false' through "$1" script.mjs "$APP"
  saw_only_peer app
}
# Nobody listens there: the error has the code, and the event "connect" does not come.
is_refused() {
  script 'import net from "node:net";
    const [host, port] = process.argv[2].split(":"), socket = net.connect(+port, host);
    for (const event of ["connect", "error", "close"])
      socket.on(event, (what) => console.log(event, what?.code ?? what));'
  prints $'error ECONNREFUSED\nclose true' through "$1" script.mjs "$NET.3:9"
}
# It asks for io_uring, which fails as on a kernel without it.
with_io_uring() { UV_USE_IO_URING=1 fetches "$node" "$WEB"; }
in_a_worker() {
  script 'import { Worker, isMainThread, workerData } from "node:worker_threads";
    import { fileURLToPath } from "node:url";
    if (isMainThread)
      for (let i = 0; i < 4; ++i) new Worker(fileURLToPath(import.meta.url), { workerData: process.argv[2] });
    else console.log((await (await fetch(workerData)).arrayBuffer()).byteLength);'
  prints $'300000\n300000\n300000\n300000' through "$1" script.mjs "http://$WEB/page"
  saw_only_peer web
}
# A program that it starts is proxied, too.
starts_another() {
  script 'import { execFileSync } from "node:child_process";
    console.log(execFileSync(process.execPath, ["-e", "fetch(process.argv[1]).then((reply) => console.log(reply.status))",
      process.argv[2]]).toString().trim());'
  prints_through 200 "$1" script.mjs "http://$WEB/page"
}
# Its own server on this host stays reachable for its own clients.
serves_itself() {
  script 'import { createServer } from "node:http";
    const server = createServer((request, reply) => reply.end("served")).listen(0, "127.0.0.1", async () => {
      console.log(await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text());
      server.close();
      server.closeAllConnections();
    });'
  SOCKSIFY_LOOPBACK=direct prints served through "$1" script.mjs
}
is_fit() {
  "$LAUNCHER" -s "$SOCKS" --check "$1" >got
  has got '^ok   program '
}
bun_connects() {
  script 'const [hostname, port] = process.argv[2].split(":");
    let got = "";
    await Bun.connect({ hostname, port: +port, socket: {
      open(socket) { socket.write("echo one\nend\n"); },
      data(socket, part) { got += part.toString(); },
      close() { console.log(got.split("\n")[1]); },
      error(socket, error) { console.log(error); } } });'
  prints one through "$bun" script.mjs "$APP"
  saw_only_peer app
}

mkdir site
head -c 300000 /dev/urandom | tee page >site/page
start_socks4d
start_app
start_web "$WORK/site"
for program in "$node" "$bun"; do
  [ -x "$program" ] || { skip "${program##*/}" "not installed: tests/foreign/packages" && continue; }
  name=${program##*/}
  check "$name, --check" is_fit "$program"
  check "$name, fetch()" fetches "$program" "$WEB"
  check "$name, fetch() of a name" fetches_name "$program"
  check "$name, http.get()" http_module "$program"
  check "$name, net.connect()" connects "$program"
  check "$name, net.connect() is refused" is_refused "$program"
  check "$name, workers" in_a_worker "$program"
  check "$name starts another" starts_another "$program"
  check "$name talks to itself" serves_itself "$program"
done
[ ! -x "$node" ] || check "node with io_uring" with_io_uring
[ ! -x "$bun" ] || check "bun, Bun.connect()" bun_connects
