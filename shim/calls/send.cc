// SPDX-License-Identifier: MIT
#include "calls/send.h"
#include "calls/connect.h"
#include "calls/datagrams.h"
#include "calls/premature_io.h"
#include "config/config.h"
#include "kernel/readable.h"
#include "kernel/real.h"
#include <algorithm>
#include <climits>

namespace socksify::sending {
namespace {

msghdr without_address(msghdr message) {
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  return message;
}

bool has_usable_name(const msghdr& message) {
  return !message.msg_name || is_readable(message.msg_name, message.msg_namelen);
}
bool has_usable_name(const mmsghdr& message) { return has_usable_name(message.msg_hdr); }

template <typename Message> bool fails_send(int fd, const Message& message, int flags) {
  return premature_io::needs_check() && has_usable_name(message) && premature_io::is_usable(message) &&
         premature_io::check_send(fd, flags) != 0;
}

bool is_refused(int fd, const msghdr& message) {
  return message.msg_name ? datagrams::is_send_refused(fd, message.msg_name, message.msg_namelen)
                          : datagrams::is_send_refused(fd);
}

// How many messages come before the first that is refused. The kernel, too, stops at the first that it does not send.
unsigned count_before_refused(int fd, const mmsghdr* messages, unsigned count) {
  unsigned allowed = 0;
  while (allowed < count && !is_refused(fd, messages[allowed].msg_hdr))
    ++allowed;
  return allowed;
}

// About how many of them can be read. sendmmsg() may send fewer messages than asked.
unsigned count_readable(const mmsghdr* messages, unsigned count) {
  while (count && !is_readable(messages, count * sizeof *messages))
    count /= 2;
  return count;
}

// The first message makes the connection. sendmmsg() may send fewer messages than asked: the rest waits for another
// call.
int first_message(int fd, mmsghdr& first, int flags) {
  const ssize_t sent = message(fd, &first.msg_hdr, flags);
  if (sent < 0)
    return -1;
  first.msg_len = static_cast<unsigned>(sent);
  return 1;
}

} // namespace

Outcome connect_to_send(int fd, const void* address, socklen_t length, int flags) {
  if (!(flags & MSG_FASTOPEN) || !address)
    return Outcome::not_ours();
  const Mode mode = flags & MSG_DONTWAIT ? Mode::nonblocking : Mode::like_socket;
  return connect_to(fd, static_cast<const sockaddr*>(address), length, mode);
}

ssize_t message(int fd, const msghdr* message, int flags) {
  if (!is_active() || !is_readable(message))
    return REAL(sendmsg)(fd, message, flags);
  if (is_refused(fd, *message))
    return -1;
  const Outcome connected = connect_to_send(fd, message->msg_name, message->msg_namelen, flags);
  if (!connected.is_ours())
    return fails_send(fd, *message, flags) ? -1 : REAL(sendmsg)(fd, message, flags);
  if (connected.error())
    return fail(connected.error());
  const msghdr rest = without_address(*message);
  return REAL(sendmsg)(fd, &rest, flags & ~MSG_FASTOPEN);
}

int messages(int fd, mmsghdr* messages, unsigned count, int flags) {
  const unsigned readable = is_active() ? count_readable(messages, std::min(count, unsigned{IOV_MAX})) : 0;
  if (!readable)
    return REAL(sendmmsg)(fd, messages, count, flags);
  count = readable;
  if ((flags & MSG_FASTOPEN) && count)
    return first_message(fd, *messages, flags);
  if (fails_send(fd, *messages, flags))
    return -1;
  const int before = errno;
  const unsigned allowed = count_before_refused(fd, messages, count);
  if (allowed == 0 && count)
    return -1;
  errno = before;
  return REAL(sendmmsg)(fd, messages, allowed, flags);
}

} // namespace socksify::sending
