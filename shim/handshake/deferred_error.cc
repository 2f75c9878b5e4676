// SPDX-License-Identifier: MIT
#include "handshake/deferred_error.h"
#include "base/fd.h"
#include "handshake/exchange.h"
#include "kernel/tcp.h"
#include "sockets/miss_counter.h"
#include <cerrno>

namespace socksify::deferred_error {
namespace {

// The errno that the kernel itself reports of such a socket, or has reported.
constexpr int reported_by_kernel = ECONNREFUSED;

bool is_unreported(const Socket& socket) {
  return socket.is<Failed>() && socket.as<Failed>().error != reported_by_kernel;
}

// The kernel knows whether there is still an error to report, in every process that shares the socket. The library only
// knows which errno it is.
int consume(int fd, const Socket& socket) {
  const Uninterrupted whole;
  const int error = consume_socket_error(fd);
  if (error && is_unreported(socket))
    unfinished.errors.fetch_sub(1, std::memory_order_relaxed);
  return error && socket.is<Failed>() ? socket.as<Failed>().error : error;
}

// Sets the count to 0 if no failed socket is open any more. An error that another thread records meanwhile is not lost:
// it is stored before it is counted, so that this sees the socket or the new count.
void recount() {
  int before = unfinished.errors.load(std::memory_order_acquire);
  if (!sockets::any_open(is_unreported))
    unfinished.errors.compare_exchange_strong(before, 0, std::memory_order_relaxed);
}

} // namespace

void record(const Socket& socket) {
  if (is_unreported(socket))
    unfinished.errors.fetch_add(1, std::memory_order_release);
}

int consume(int fd, sockets::Identity key, const Socket& socket) {
  KeepErrno keep;
  const Uninterrupted whole;
  const int error = consume(fd, socket);
  Socket reported = socket;
  reported.as<Failed>().error = reported_by_kernel;
  sockets::transition(key, State::failed, reported);
  return error;
}

int consume_and_forget(int fd, sockets::Identity key, const Socket& socket) {
  const Uninterrupted whole;
  const int error = consume(fd, socket);
  disconnect(fd, socket.family);
  sockets::forget(key);
  return error;
}

int consume_for_io(int fd) {
  static constinit MissCounter misses;
  if (!any_unreported())
    return 0;
  const sockets::Identity key = sockets::identity(fd);
  const auto socket = sockets::lookup(key);
  if (socket && is_unreported(*socket))
    return consume(fd, key, *socket);
  if (misses.reaches(1024))
    recount();
  return 0;
}

} // namespace socksify::deferred_error
