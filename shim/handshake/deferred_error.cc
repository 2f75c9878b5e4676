// SPDX-License-Identifier: MIT
#include "handshake/deferred_error.h"
#include "base/fd.h"
#include "handshake/exchange.h"
#include "handshake/progress.h"
#include <cerrno>

namespace socksify::failure {
namespace {

// What the kernel itself has to say, or has said.
constexpr uint8_t known = ECONNREFUSED;

bool is_untold(const Socket& socket) { return socket.state == State::failed && socket.error != known; }

// That there is a reason to tell is the kernel's to know, in whatever process it was told: which one it is, is ours.
int take(int fd, const Socket& socket) {
  const int error = pending_error(fd);
  if (error && is_untold(socket))
    untold.fetch_sub(1, std::memory_order_relaxed);
  return error && socket.state == State::failed ? socket.error : error;
}

// The program may have closed the socket without asking, of which nobody tells us. What another thread notes while we
// look is not for us to forget: it was remembered before it was counted, so we see the one or the other.
void note_miss() {
  constexpr unsigned many = 1024;
  static constinit std::atomic<unsigned> misses{0};
  if (misses.fetch_add(1, std::memory_order_relaxed) % many != many - 1)
    return;
  int before = untold.load(std::memory_order_acquire);
  if (!sockets::any_open(is_untold))
    untold.compare_exchange_strong(before, 0, std::memory_order_relaxed);
}

} // namespace

void note(const Socket& socket) {
  if (is_untold(socket))
    untold.fetch_add(1, std::memory_order_release);
}

std::optional<int> take(int fd) {
  auto socket = settle_fd(fd);
  if (!socket || socket->state != State::failed)
    return std::nullopt;
  KeepErrno keep;
  const int error = take(fd, *socket);
  socket->error = known;
  sockets::replace(sockets::identity(fd), State::failed, *socket);
  return error;
}

int take_last(int fd, sockets::Identity key, const Socket& socket) {
  const int error = take(fd, socket);
  disconnect(fd, socket.family);
  sockets::forget(key);
  return error;
}

int take_for_data(int fd) {
  const auto socket = any() ? sockets::find_fd(fd) : std::nullopt;
  if (socket && is_untold(*socket))
    return take(fd).value_or(0);
  if (any())
    note_miss();
  return 0;
}

} // namespace socksify::failure
