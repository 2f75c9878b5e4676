// SPDX-License-Identifier: MIT
// Steps that ask about a socket or change it: options, names, flags, ioctl.
#include "calls.h"
#include "player.h"
#include "text.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/time.h>

namespace differential {
namespace {

struct Option {
  int level, number;
  enum { number_only, time, linger } kind = number_only;
};

const std::map<std::string, Option> options = {
    {"ERROR", {SOL_SOCKET, SO_ERROR}},
    {"ACCEPTCONN", {SOL_SOCKET, SO_ACCEPTCONN}},
    {"RCVLOWAT", {SOL_SOCKET, SO_RCVLOWAT}},
    {"REUSEADDR", {SOL_SOCKET, SO_REUSEADDR}},
    {"REUSEPORT", {SOL_SOCKET, SO_REUSEPORT}},
    {"KEEPALIVE", {SOL_SOCKET, SO_KEEPALIVE}},
    {"OOBINLINE", {SOL_SOCKET, SO_OOBINLINE}},
    {"TYPE", {SOL_SOCKET, SO_TYPE}},
    {"DOMAIN", {SOL_SOCKET, SO_DOMAIN}},
    {"PROTOCOL", {SOL_SOCKET, SO_PROTOCOL}},
    {"NODELAY", {IPPROTO_TCP, TCP_NODELAY}},
    {"CORK", {IPPROTO_TCP, TCP_CORK}},
    {"KEEPIDLE", {IPPROTO_TCP, TCP_KEEPIDLE}},
    {"SYNCNT", {IPPROTO_TCP, TCP_SYNCNT}},
    {"USER_TIMEOUT", {IPPROTO_TCP, TCP_USER_TIMEOUT}},
    {"TOS", {IPPROTO_IP, IP_TOS}},
    {"SNDTIMEO", {SOL_SOCKET, SO_SNDTIMEO, Option::time}},
    {"RCVTIMEO", {SOL_SOCKET, SO_RCVTIMEO, Option::time}},
    {"LINGER", {SOL_SOCKET, SO_LINGER, Option::linger}},
};

Option option_of(const std::string& name) {
  const auto found = options.find(name);
  return found == options.end() ? Option{-1, -1} : found->second;
}

// set S OPTION VALUE: milliseconds for times, seconds for LINGER (-1: off).
std::string set_step(const Words& words) {
  const auto [level, number_of, kind] = option_of(word(words, 2));
  const int value = number(words, 3), fd = slot(word(words, 1)).fd;
  const timeval time{value / 1000, value % 1000 * 1000};
  const linger lingering{value >= 0, std::max(value, 0)};
  before_call();
  if (kind == Option::time)
    return result(calls::setsockopt(fd, level, number_of, &time, sizeof time));
  if (kind == Option::linger)
    return result(calls::setsockopt(fd, level, number_of, &lingering, sizeof lingering));
  return result(calls::setsockopt(fd, level, number_of, &value, sizeof value));
}

// get S OPTION
std::string get_step(const Words& words) {
  const auto [level, number_of, kind] = option_of(word(words, 2));
  union {
    int values[4];
    timeval time;
    linger lingering;
  } value{};
  socklen_t length = sizeof value;
  before_call();
  const std::string said = result(calls::getsockopt(slot(word(words, 1)).fd, level, number_of, &value, &length));
  if (said != "0")
    return said;
  const std::string size = " (" + std::to_string(length) + " bytes)";
  if (kind == Option::time)
    return std::to_string(value.time.tv_sec * 1000 + value.time.tv_usec / 1000) + " ms" + size;
  if (kind == Option::linger)
    return (value.lingering.l_onoff ? std::to_string(value.lingering.l_linger) : "off") + size;
  return (word(words, 2) == "ERROR" ? errno_name(value.values[0]) : std::to_string(value.values[0])) + size;
}

socklen_t room(const Words& words) {
  return words.size() > 2 ? static_cast<socklen_t>(number(words, 2)) : sizeof(sockaddr_storage);
}

std::string name_text(const Words& words, const sockaddr_storage& address, socklen_t length) {
  return (room(words) < sizeof(sockaddr_in) ? "" : address_text(address) + ", ") + std::to_string(length) + " bytes";
}

// The name of a connection never changes, not even when it is made.
std::string change_of(Connection& connection, const sockaddr_storage& address) {
  if (connection.phase != Phase::connecting && connection.phase != Phase::connected)
    return "";
  const bool is_same = !connection.name.ss_family || std::memcmp(&connection.name, &address, sizeof address) == 0;
  connection.name = address;
  return is_same ? "" : ", changed";
}

// name S [ROOM], peer S [ROOM]
std::string name_step(const Words& words) {
  const Slot here = slot(word(words, 1));
  sockaddr_storage address{};
  socklen_t length = room(words);
  before_call();
  const std::string said = result(calls::getsockname(here.fd, generic(address), &length));
  if (said != "0")
    return said;
  const bool is_whole = here.connection && room(words) == sizeof address;
  return name_text(words, address, length) + (is_whole ? change_of(*here.connection, address) : "");
}

std::string peer_step(const Words& words) {
  sockaddr_storage address{};
  socklen_t length = room(words);
  before_call();
  const std::string said = result(calls::getpeername(slot(word(words, 1)).fd, generic(address), &length));
  return said == "0" ? name_text(words, address, length) : said;
}

// getfl S, setfl S nonblock|block, fionbio S 0|1, fionread S
std::string flags_step(const Words& words) {
  const int fd = slot(word(words, 1)).fd;
  const int flags = fcntl(fd, F_GETFL);
  before_call();
  if (words[0] == "setfl")
    return result(fcntl(fd, F_SETFL, word(words, 2) == "nonblock" ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
  const int descriptor = fcntl(fd, F_GETFD);
  return flags < 0
             ? result(-1)
             : std::string{flags & O_NONBLOCK ? "nonblock" : "block"} + (descriptor & FD_CLOEXEC ? " cloexec" : "");
}

std::string ioctl_step(const Words& words) {
  int value = number(words, 2);
  before_call();
  const std::string said = result(ioctl(slot(word(words, 1)).fd, words[0] == "fionbio" ? FIONBIO : FIONREAD, &value));
  return said == "0" && words[0] == "fionread" ? std::to_string(value) + " bytes" : said;
}

} // namespace

int family_of(int fd) {
  int family = AF_INET;
  socklen_t length = sizeof family;
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
  return family;
}

std::string play_option_step(const Words& words) {
  static const std::map<std::string, std::string (*)(const Words&)> verbs = {
      {"set", set_step},     {"get", get_step},     {"name", name_step},     {"peer", peer_step},
      {"getfl", flags_step}, {"setfl", flags_step}, {"fionbio", ioctl_step}, {"fionread", ioctl_step},
  };
  const auto found = verbs.find(words[0]);
  return found == verbs.end() ? "" : found->second(words);
}

} // namespace differential
