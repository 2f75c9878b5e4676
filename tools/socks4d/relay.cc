// SPDX-License-Identifier: MIT
#include "socks4d/relay.h"
#include "common/system_call.h"
#include "socks4d/tcp.h"
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace socksify {
namespace {

constexpr int turns = 2; // before the other sessions have theirs
constexpr size_t copy_size = 16384;
constexpr size_t few = 8192; // bytes

ssize_t splice_some(int from, int to, size_t most) {
  return ::splice(from, nullptr, to, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

// True if the next byte to be read is an urgent one, which Unix sockets do not have.
bool at_mark(int fd) {
  int yes = 0;
  return ::ioctl(fd, SIOCATMARK, &yes) == 0 && yes != 0;
}

} // namespace

void Side::note(uint32_t events) {
  failed = events & EPOLLERR;
  readable |= (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  writable |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
  urgent = events & EPOLLPRI;
  hung_up |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

void Direction::move() {
  if (!flush())
    return;
  for (int turn = 0; turn < turns; ++turn)
    if (!fetch() || !flush())
      return;
  if (m_from.readable)
    m_from.watch.again();
}

// True if something came.
bool Direction::fetch() {
  if (m_from.ended || !m_from.readable || !m_to.writable)
    return false;
  if (m_from.urgent && at_mark(m_from.fd()))
    return copy(1, MSG_OOB);
  if (!m_means.pipes.reserve())
    return copy(copy_size, 0);
  return m_are_many ? take_many() : pass_few();
}

// A few bytes are copied faster than a page is put into a pipe and taken out again.
bool Direction::pass_few() {
  std::array<char, few> bytes;
  const ssize_t got = ::recv(m_from.fd(), bytes.data(), bytes.size(), 0);
  if (got < 0 && !would_block())
    throw Failure("recv");
  if (got == 0)
    end_of_stream();
  if (got <= 0) {
    m_from.readable = got == 0;
    return false;
  }
  m_are_many = got == ssize_t{bytes.size()};
  m_from.readable = m_are_many || m_from.hung_up || m_from.urgent;
  const ssize_t sent = gives_way() ? 0 : ::send(m_to.fd(), bytes.data(), static_cast<size_t>(got), MSG_NOSIGNAL);
  if (sent < 0 && !would_block())
    throw Failure("send");
  m_to.writable = sent >= 0;
  const auto passed = static_cast<size_t>(std::max(sent, ssize_t{0}));
  m_bytes += passed;
  if (sent < got)
    hold(std::span(bytes).first(static_cast<size_t>(got)).subspan(passed));
  return true;
}

// What the other side did not take. An empty pipe has room for it.
void Direction::hold(std::span<const char> bytes) {
  m_pipe = m_means.pipes.borrow();
  check("write", ::write(m_pipe.in.get(), bytes.data(), bytes.size()));
  m_held = static_cast<uint32_t>(bytes.size());
}

bool Direction::take_many() {
  m_pipe = m_means.pipes.borrow();
  const ssize_t result = splice_some(m_from.fd(), m_pipe.in.get(), PipePool::pipe_size);
  m_are_many = result > ssize_t{few};
  if (result <= 0)
    return take_nothing(result);
  m_held = static_cast<uint32_t>(result);
  return true;
}

// splice(2) does not go past an urgent byte. After a FIN it then says 0, as at the end of stream.
bool Direction::take_nothing(ssize_t result) {
  if (result < 0 && !would_block())
    throw Failure("splice");
  m_means.pipes.give_back(std::move(m_pipe));
  m_from.readable = result == 0;
  if (result < 0)
    return false;
  if (at_mark(m_from.fd()))
    return copy(1, MSG_OOB);
  end_of_stream();
  return false;
}

// The way without a pipe. The bytes are taken from the one side only as far as the other side took them, so
// that none is ever kept here.
bool Direction::copy(size_t most, int flags) {
  std::array<char, copy_size> bytes;
  const ssize_t seen = ::recv(m_from.fd(), bytes.data(), most, MSG_PEEK);
  if (seen < 0 && !would_block())
    throw Failure("recv");
  if (seen == 0)
    end_of_stream();
  m_from.readable = seen >= 0;
  if (seen <= 0)
    return false;
  if (gives_way()) {
    m_from.watch.again();
    return false;
  }
  const ssize_t sent = ::send(m_to.fd(), bytes.data(), static_cast<size_t>(seen), flags | MSG_NOSIGNAL);
  if (sent < 0 && !would_block())
    throw Failure("send");
  m_to.writable = sent >= 0;
  if (sent > 0) {
    if (check("recv", ::recv(m_from.fd(), bytes.data(), static_cast<size_t>(sent), 0)) != sent)
      throw Failure("recv", EIO);
    m_bytes += static_cast<uint64_t>(sent);
  }
  return sent > 0;
}

// True if nothing is left in the pipe.
bool Direction::flush() {
  if (m_held > 0 && gives_way()) {
    m_to.watch.again();
    return false;
  }
  while (m_held > 0 && m_to.writable) {
    const ssize_t result = splice_some(m_pipe.out.get(), m_to.fd(), m_held);
    if (result < 0 && !would_block())
      throw Failure("splice");
    m_to.writable = result >= 0;
    m_held -= result > 0 ? static_cast<uint32_t>(result) : 0;
    m_bytes += result > 0 ? static_cast<uint64_t>(result) : 0;
  }
  if (m_held == 0 && m_pipe)
    m_means.pipes.give_back(std::move(m_pipe));
  return m_held == 0;
}

// The other direction goes on: a half-closed connection is a connection. If it has ended before, both are closed now.
// After a reset, too, there is an end, when the error has been told before.
void Direction::end_of_stream() {
  if (m_from.failed)
    throw Failure("relay", ECONNRESET);
  if (gives_way())
    return m_from.watch.again();
  m_from.ended = true;
  if (!m_to.ended)
    check("shutdown", ::shutdown(m_to.fd(), SHUT_WR));
}

Relay::Relay(Watch& client, Watch& server, Parties parties, RelayMeans& means)
    : m_client{client}, m_server{server}, m_upward(m_client, m_server, means), m_downward(m_server, m_client, means) {
  m_downward.give_way_to_calls(parties);
}

// Cut off for whatever reason, neither side may take what it got for the whole stream.
Relay::~Relay() {
  if (finished())
    return;
  reset_at_close(m_client.fd());
  reset_at_close(m_server.fd());
}

bool Relay::begin(uint32_t client_events, uint32_t server_events) {
  m_client.note(client_events);
  // A guess, that it is readable: only splice(2) stops at an urgent byte that no event has told of.
  m_upward.assume_many();
  return ready(m_server, server_events);
}

bool Relay::ready(Side& side, uint32_t what) {
  side.note(what);
  m_upward.move();
  m_downward.move();
  // Only now: what came before the reset is still readable.
  if (m_client.failed || m_server.failed)
    throw Failure("relay", ECONNRESET);
  return finished();
}

} // namespace socksify
