// SPDX-License-Identifier: MIT
#include "socks4d/relay/direction.h"
#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace socks4d {
namespace {

constexpr int turns = 2; // then the other sessions have their turn
constexpr size_t copy_size = 16384;
constexpr size_t small = 8192; // bytes

ssize_t splice_some(int from, int to, size_t most) {
  return ::splice(from, nullptr, to, nullptr, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
}

// True if the next byte to read is urgent. Unix sockets have no urgent bytes.
bool at_mark(int fd) {
  int yes = 0;
  return ::ioctl(fd, SIOCATMARK, &yes) == 0 && yes != 0;
}

// Less than 0: nothing to read now. Throws Failure for all other errors.
ssize_t receive(int fd, std::span<char> bytes, int flags) {
  const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), flags);
  if (got < 0 && !would_block())
    throw Failure("recv");
  return got;
}

} // namespace

void Side::update(uint32_t events) {
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

// True if bytes came.
bool Direction::fetch() {
  if (m_from.ended || !m_from.readable || !m_to.writable)
    return false;
  if (m_from.urgent && at_mark(m_from.fd()))
    return copy(1, MSG_OOB);
  if (!m_resources.pipes.reserve())
    return copy(copy_size, 0);
  return m_is_bulk ? fill_pipe() : pass_small();
}

// Copying a few bytes is faster than moving a page into a pipe and out again.
bool Direction::pass_small() {
  std::array<char, small> buffer;
  const ssize_t got = receive(m_from.fd(), buffer, 0);
  if (got == 0)
    end_of_stream();
  m_is_bulk = got == ssize_t{buffer.size()};
  m_from.readable = got == 0 || m_is_bulk || (got > 0 && (m_from.hung_up || m_from.urgent));
  if (got <= 0)
    return false;
  const auto bytes = std::span<const char>(buffer).first(static_cast<size_t>(got));
  const size_t sent = must_wait() ? 0 : send(bytes, 0);
  if (sent < bytes.size())
    store(bytes.subspan(sent));
  return true;
}

// Returns how many bytes the other side took.
size_t Direction::send(std::span<const char> bytes, int flags) {
  const ssize_t sent = ::send(m_to.fd(), bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
  if (sent < 0 && !would_block())
    throw Failure("send");
  m_to.writable = sent >= 0;
  const auto count = static_cast<size_t>(std::max(sent, ssize_t{0}));
  m_bytes += count;
  return count;
}

// Keeps what the other side did not take. An empty pipe has room for it.
void Direction::store(std::span<const char> bytes) {
  m_pipe = m_resources.pipes.borrow();
  check("write", ::write(m_pipe.write_end.get(), bytes.data(), bytes.size()));
  m_stored = static_cast<uint32_t>(bytes.size());
}

bool Direction::fill_pipe() {
  m_pipe = m_resources.pipes.borrow();
  const ssize_t result = splice_some(m_from.fd(), m_pipe.write_end.get(), PipePool::pipe_size);
  m_is_bulk = result > ssize_t{small};
  if (result <= 0)
    return splice_stopped(result);
  m_stored = static_cast<uint32_t>(result);
  return true;
}

// splice(2) stops before an urgent byte. After a FIN it then returns 0, as it does at the end of the stream.
bool Direction::splice_stopped(ssize_t result) {
  if (result < 0 && !would_block())
    throw Failure("splice");
  m_resources.pipes.give_back(std::move(m_pipe));
  m_from.readable = result == 0;
  if (result < 0)
    return false;
  if (at_mark(m_from.fd()))
    return copy(1, MSG_OOB);
  end_of_stream();
  return false;
}

// Works without a pipe: peeks, and reads only the bytes that the other side took, so that none are kept here.
bool Direction::copy(size_t most, int flags) {
  std::array<char, copy_size> buffer;
  const ssize_t seen = receive(m_from.fd(), std::span(buffer).first(most), MSG_PEEK);
  if (seen == 0)
    end_of_stream();
  m_from.readable = seen >= 0;
  if (seen <= 0)
    return false;
  if (must_wait()) {
    m_from.watch.again();
    return false;
  }
  const size_t sent = send({buffer.data(), static_cast<size_t>(seen)}, flags);
  if (sent > 0 && check("recv", ::recv(m_from.fd(), buffer.data(), sent, 0)) != static_cast<ssize_t>(sent))
    throw Failure("recv", EIO);
  return sent > 0;
}

// True if the pipe is empty.
bool Direction::flush() {
  if (m_stored > 0 && must_wait()) {
    m_to.watch.again();
    return false;
  }
  while (m_stored > 0 && m_to.writable) {
    const ssize_t result = splice_some(m_pipe.read_end.get(), m_to.fd(), m_stored);
    if (result < 0 && !would_block())
      throw Failure("splice");
    m_to.writable = result >= 0;
    m_stored -= result > 0 ? static_cast<uint32_t>(result) : 0;
    m_bytes += result > 0 ? static_cast<uint64_t>(result) : 0;
  }
  if (m_stored == 0 && m_pipe)
    m_resources.pipes.give_back(std::move(m_pipe));
  return m_stored == 0;
}

// The other direction goes on: a half-closed connection is still a connection. A reset also reads as an end, if the
// error was reported before.
void Direction::end_of_stream() {
  if (m_from.failed)
    throw Failure("relay", ECONNRESET);
  if (must_wait())
    return m_from.watch.again();
  m_from.ended = true;
  if (!m_to.ended)
    check("shutdown", ::shutdown(m_to.fd(), SHUT_WR));
}

} // namespace socks4d
