// SPDX-License-Identifier: MIT
#include "partner.h"
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace differential {
namespace {

constexpr size_t most_connections = 256, reply_size = 8, greeting_of_call = 7; // "called\n"
constexpr int nap_microseconds = 100, most_naps = 8'000, naps_before_nudge = 40;

const bool is_through_shim = std::getenv("SOCKS_SERVER") != nullptr;

Connection* shared_connections() {
  void* memory =
      mmap(nullptr, most_connections * sizeof(Connection), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<Connection*>(memory);
}

bool is(const Connection& connection, std::string_view kinds) { return kinds.find(connection.kind) != kinds.npos; }

// libc's own syscall(), because the shim must not see these calls: they are not the program's.
template <typename... Arguments> long raw_call(long number, Arguments... arguments) {
  static const auto call =
      reinterpret_cast<long (*)(long, ...)>(dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), "syscall"));
  return call(number, arguments...);
}

short raw_events(int fd) {
  pollfd one{fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  const timespec at_once{};
  raw_call(SYS_ppoll, &one, 1L, &at_once, nullptr, 0L);
  return one.revents;
}

size_t raw_readable(int fd) {
  int count = 0;
  return raw_call(SYS_ioctl, fd, FIONREAD, &count) == 0 ? static_cast<size_t>(std::max(count, 0)) : 0;
}

bool is_closed(int fd) {
  uint8_t state = 0; // the first byte of struct tcp_info
  socklen_t length = sizeof state;
  return raw_call(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &state, &length) == 0 && state == TCP_CLOSE;
}

// Unless a call has asked about this connection since connect(), the reply is still unread through the shim.
bool is_made(int fd, const Connection& connection, bool was_asked) {
  const short events = raw_events(fd);
  if (!is_through_shim || was_asked)
    return (events & (POLLOUT | POLLERR)) && raw_readable(fd) >= connection.to_come;
  if (is(connection, "closed"))
    return (events & POLLERR) || (raw_readable(fd) >= reply_size && (events & POLLRDHUP));
  return (events & POLLERR) || raw_readable(fd) >= reply_size + connection.to_come;
}

// Through the shim, what the caller sends arrives at the listening socket.
bool is_called(int fd, const Connection& connection) {
  int count = 0;
  const bool is_bind = is_through_shim && raw_call(SYS_ioctl, fd, FIONREAD, &count) == 0;
  return (raw_events(fd) & POLLIN) &&
         (!is_bind || static_cast<size_t>(count) >= reply_size + greeting_of_call + connection.said);
}

bool is_quiet(int fd, const Connection& connection, bool is_new, bool was_asked) {
  const short events = raw_events(fd);
  if (connection.phase == Phase::listening)
    return !connection.call_comes || is_called(fd, connection);
  if (connection.reset_comes && !(is_new && is_through_shim && !was_asked))
    return events & (POLLERR | POLLHUP);
  if (is_new && !is_made(fd, connection, was_asked))
    return false;
  if (connection.is_shut && !is_closed(fd))
    return false;
  if ((connection.end_comes || connection.reset_comes) && !(events & (POLLRDHUP | POLLERR)))
    return false;
  return raw_readable(fd) >= connection.to_come || (events & POLLERR);
}

} // namespace

Connection& new_connection() {
  static Connection* next = shared_connections();
  if (!next)
    abort();
  *next = {}; // a child may have used it
  return *next++;
}

void connecting(Connection& connection, std::string_view kind, bool is_done) {
  const size_t sent = connection.sent;
  connection = {};
  connection.sent = sent;
  connection.phase = is_done ? Phase::connected : Phase::connecting;
  kind.copy(connection.kind, sizeof connection.kind - 1);
  connection.to_come = is(connection, "greet") ? 6 : is(connection, "half closer") ? 4 : 0;
  connection.end_comes = is(connection, "half closer");
  connection.reset_comes = is(connection, "gone");
}

void disconnected(Connection& connection) {
  const size_t sent = connection.sent;
  connection = {};
  connection.sent = sent;
}

void sent(Connection& connection, size_t count) {
  connection.sent += count;
  if (is(connection, "echo greet call"))
    connection.to_come += count;
  if (is(connection, "reset closer") && count)
    connection.reset_comes = true;
}

void received(Connection& connection, size_t count) { connection.to_come -= std::min(count, connection.to_come); }

void shut(Connection& connection) { connection.is_shut = connection.phase == Phase::connected; }

void called(Connection& control, Connection& listener) {
  control.to_come += 5; // "done\n"
  listener.call_comes = listener.phase == Phase::listening;
  listener.caller = &control;
}

void said(Connection& control, Connection& listener) {
  control.to_come += 5;
  listener.said += 5; // "more\n"
}

void accepted(Connection& connection, Connection* listener) {
  connecting(connection, "call", true);
  connection.to_come = greeting_of_call;
  if (!listener)
    return;
  connection.to_come += listener->said;
  listener->said = 0;
  listener->call_comes = false;
}

bool settle(int fd, Connection& connection) {
  const bool is_new = connection.phase == Phase::connecting;
  if (connection.phase == Phase::fresh || (is_new && is(connection, "slow")))
    return true;
  bool is_settled = false, was_asked = false;
  for (int naps = 0; naps < most_naps && !(is_settled = is_quiet(fd, connection, is_new, was_asked)); ++naps) {
    usleep(nap_microseconds);
    // The connection to the SOCKS server was not made yet when connect() returned: a call must drive the CONNECT.
    if (pollfd one{fd, POLLOUT, 0}; is_new && naps >= naps_before_nudge && !was_asked)
      was_asked = poll(&one, 1, 50) > 0;
  }
  if (is_new)
    connection.phase = is(connection, "closed") ? Phase::fresh : Phase::connected;
  return is_settled;
}

} // namespace differential
