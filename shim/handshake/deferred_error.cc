// SPDX-License-Identifier: MIT
#include "handshake/deferred_error.h"
#include "base/fd.h"
#include "handshake/exchange.h"
#include "kernel/tcp.h"
#include <cerrno>

namespace socksify::deferred_error {
namespace {

// What the kernel itself has to say, or has said.
constexpr uint8_t reported_by_kernel = ECONNREFUSED;

bool is_unreported(const Socket& socket) { return socket.state == State::failed && socket.error != reported_by_kernel; }

// That there is a reason to tell is the kernel's to know, in whatever process it was told: which one it is, is ours.
int consume(int fd, const Socket& socket) {
  const int error = consume_socket_error(fd);
  if (error && is_unreported(socket))
    unreported.fetch_sub(1, std::memory_order_relaxed);
  return error && socket.state == State::failed ? socket.error : error;
}

// The program may have closed the socket without asking, of which nobody tells us. What another thread notes while we
// look is not for us to forget: it was remembered before it was counted, so we see the one or the other.
void note_miss() {
  constexpr unsigned many = 1024;
  static constinit std::atomic<unsigned> misses{0};
  if (misses.fetch_add(1, std::memory_order_relaxed) % many != many - 1)
    return;
  int before = unreported.load(std::memory_order_acquire);
  if (!sockets::any_open(is_unreported))
    unreported.compare_exchange_strong(before, 0, std::memory_order_relaxed);
}

} // namespace

void record(const Socket& socket) {
  if (is_unreported(socket))
    unreported.fetch_add(1, std::memory_order_release);
}

int consume(int fd, sockets::Identity key, Socket socket) {
  KeepErrno keep;
  const int error = consume(fd, socket);
  socket.error = reported_by_kernel;
  sockets::transition(key, State::failed, socket);
  return error;
}

int consume_last(int fd, sockets::Identity key, const Socket& socket) {
  const int error = consume(fd, socket);
  disconnect(fd, socket.family);
  sockets::forget(key);
  return error;
}

int consume_for_io(int fd) {
  if (!any())
    return 0;
  const sockets::Identity key = sockets::identity(fd);
  const auto socket = sockets::find(key);
  if (socket && is_unreported(*socket))
    return consume(fd, key, *socket);
  note_miss();
  return 0;
}

} // namespace socksify::deferred_error
