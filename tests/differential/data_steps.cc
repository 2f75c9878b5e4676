// SPDX-License-Identifier: MIT
// Steps that move bytes. They send the alphabet again and again, so that a lost or misplaced byte shows.
#include "calls.h"
#include "player.h"
#include "text.h"
#include <cerrno>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace differential {
namespace {

std::string next_bytes(const Slot& here, size_t count) {
  std::string bytes(count, ' ');
  for (size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<char>('a' + ((here.connection ? here.connection->sent : 0) + i) % 26);
  return bytes;
}

msghdr message_of(iovec* parts, size_t count) {
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = count;
  return message;
}

ssize_t send_by(const std::string& verb, int fd, std::string& bytes, int flags) {
  const size_t half = bytes.size() / 2;
  iovec parts[] = {{bytes.data(), half}, {bytes.data() + half, bytes.size() - half}};
  const msghdr message = message_of(parts, 2);
  mmsghdr messages[] = {{message, 0}};
  if (verb == "write")
    return calls::write(fd, bytes.data(), bytes.size());
  if (verb == "writev")
    return calls::writev(fd, parts, 2);
  if (verb == "sendmsg")
    return calls::sendmsg(fd, &message, flags);
  if (verb == "sendmmsg") {
    const long count = calls::sendmmsg(fd, messages, 1, flags);
    return count <= 0 ? count : messages[0].msg_len;
  }
  return verb == "sendto" ? calls::sendto(fd, bytes.data(), bytes.size(), flags, nullptr, 0)
                          : calls::send(fd, bytes.data(), bytes.size(), flags);
}

// send|sendto|sendmsg|sendmmsg|write|writev S COUNT [FLAGS]
std::string send_step(const Words& words) {
  const Slot here = slot(word(words, 1));
  std::string bytes = next_bytes(here, static_cast<size_t>(number(words, 2)));
  before_call();
  const ssize_t count = send_by(words[0], here.fd, bytes, flags_of(word(words, 3)));
  const std::string said = result(count);
  if (!here.connection || count < 0)
    return said;
  sent(*here.connection, static_cast<size_t>(count));
  return said + settled(here);
}

// fastopen|fastopenmsg S PARTNER COUNT [FLAGS]: connects and sends in one call
std::string fastopen_step(const Words& words) {
  const Slot here = slot(word(words, 1));
  std::string bytes = next_bytes(here, static_cast<size_t>(number(words, 3)));
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (!address_of(word(words, 2), family_of(here.fd), address, length))
    return "no such partner";
  const int flags = MSG_FASTOPEN | flags_of(word(words, 4));
  iovec parts[] = {{bytes.data(), bytes.size()}};
  msghdr message = message_of(parts, 1);
  message.msg_name = &address;
  message.msg_namelen = length;
  before_call();
  const ssize_t count = words[0] == "fastopen" ? calls::sendto(here.fd, bytes.data(), bytes.size(), flags,
                                                               reinterpret_cast<sockaddr*>(&address), length)
                                               : calls::sendmsg(here.fd, &message, flags);
  const int error = errno;
  const std::string said = result(count);
  if (!here.connection)
    return said;
  if (here.connection->phase == Phase::fresh && (count >= 0 || error == EINPROGRESS))
    connecting(*here.connection, word(words, 2), count >= 0);
  if (count >= 0)
    sent(*here.connection, static_cast<size_t>(count));
  return said + settled(here);
}

ssize_t receive_by(const std::string& verb, int fd, std::string& bytes, int flags, std::string& more) {
  const size_t half = bytes.size() / 2;
  iovec parts[] = {{bytes.data(), half}, {bytes.data() + half, bytes.size() - half}};
  msghdr message = message_of(parts, 2);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (verb == "read")
    return calls::read(fd, bytes.data(), bytes.size());
  if (verb == "readv")
    return calls::readv(fd, parts, 2);
  if (verb == "recvmsg") {
    const ssize_t count = calls::recvmsg(fd, &message, flags);
    if (count >= 0 && message.msg_flags)
      more = " flags " + std::to_string(message.msg_flags);
    return count;
  }
  if (verb == "recvmmsg") {
    mmsghdr messages[] = {{message, 0}};
    const long count = calls::recvmmsg(fd, messages, 1, flags, nullptr);
    return count <= 0 ? count : messages[0].msg_len;
  }
  if (verb == "recvfrom") {
    const ssize_t count =
        calls::recvfrom(fd, bytes.data(), bytes.size(), flags, reinterpret_cast<sockaddr*>(&address), &length);
    if (count >= 0)
      more = " address of " + std::to_string(length) + " bytes";
    return count;
  }
  return calls::recv(fd, bytes.data(), bytes.size(), flags);
}

// recv|recvfrom|recvmsg|recvmmsg|read|readv S COUNT [FLAGS]
std::string receive_step(const Words& words) {
  const Slot here = slot(word(words, 1));
  std::string bytes(static_cast<size_t>(number(words, 2)), '.'), more;
  const int flags = flags_of(word(words, 3));
  before_call();
  const ssize_t count = receive_by(words[0], here.fd, bytes, flags, more);
  const std::string said = result(count);
  if (count < 0)
    return said;
  if (here.connection && !(flags & MSG_PEEK))
    received(*here.connection, static_cast<size_t>(count));
  bytes.resize(std::min(bytes.size(), static_cast<size_t>(count)));
  for (char& byte : bytes)
    byte = byte == '\n' ? '/' : byte;
  return said + " '" + bytes + "'" + more;
}

} // namespace

std::string play_data_step(const Words& words) {
  static const std::map<std::string, std::string (*)(const Words&)> verbs = {
      {"send", send_step},    {"sendto", send_step},      {"sendmsg", send_step},      {"sendmmsg", send_step},
      {"write", send_step},   {"writev", send_step},      {"fastopen", fastopen_step}, {"fastopenmsg", fastopen_step},
      {"recv", receive_step}, {"recvfrom", receive_step}, {"recvmsg", receive_step},   {"recvmmsg", receive_step},
      {"read", receive_step}, {"readv", receive_step},
  };
  const auto found = verbs.find(words[0]);
  return found == verbs.end() ? "" : found->second(words);
}

} // namespace differential
