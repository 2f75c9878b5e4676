// SPDX-License-Identifier: MIT
// Steps of a socket's life: socket, options, bind, connect, listen, accept, names, shutdown, dup, close.
#include "player.h"
#include "text.h"
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

namespace differential {
namespace {

sockaddr* generic(sockaddr_storage& address) { return reinterpret_cast<sockaddr*>(&address); }

int descriptor_flags(const std::string& names, int nonblock, int cloexec) {
  return (names.find("nonblock") != names.npos ? nonblock : 0) | (names.find("cloexec") != names.npos ? cloexec : 0);
}

// socket S inet|inet6 [nonblock|cloexec]
std::string socket_step(const Words& words) {
  Slot& made = slot(word(words, 1));
  before_call();
  made.fd = ::socket(word(words, 2) == "inet6" ? AF_INET6 : AF_INET,
                     SOCK_STREAM | descriptor_flags(word(words, 3), SOCK_NONBLOCK, SOCK_CLOEXEC), 0);
  const std::string said = result(made.fd < 0 ? -1 : 0);
  made.connection = &new_connection();
  return said;
}

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
    return result(setsockopt(fd, level, number_of, &time, sizeof time));
  if (kind == Option::linger)
    return result(setsockopt(fd, level, number_of, &lingering, sizeof lingering));
  return result(setsockopt(fd, level, number_of, &value, sizeof value));
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
  const std::string said = result(getsockopt(slot(word(words, 1)).fd, level, number_of, &value, &length));
  if (said != "0")
    return said;
  const std::string size = " (" + std::to_string(length) + " bytes)";
  if (kind == Option::time)
    return std::to_string(value.time.tv_sec * 1000 + value.time.tv_usec / 1000) + " ms" + size;
  if (kind == Option::linger)
    return (value.lingering.l_onoff ? std::to_string(value.lingering.l_linger) : "off") + size;
  return (word(words, 2) == "ERROR" ? errno_name(value.values[0]) : std::to_string(value.values[0])) + size;
}

using NameCall = int(int, sockaddr*, socklen_t*);

std::string name_of(NameCall* call, int fd, socklen_t room) {
  sockaddr_storage address{};
  socklen_t length = room;
  before_call();
  const std::string said = result(call(fd, generic(address), &length));
  if (said != "0")
    return said;
  return (room < sizeof(sockaddr_in) ? "" : address_text(address) + ", ") + std::to_string(length) + " bytes";
}

// name S [ROOM], peer S [ROOM]
socklen_t room(const Words& words) {
  return words.size() > 2 ? static_cast<socklen_t>(number(words, 2)) : sizeof(sockaddr_storage);
}
std::string name_step(const Words& words) { return name_of(getsockname, slot(word(words, 1)).fd, room(words)); }
std::string peer_step(const Words& words) { return name_of(getpeername, slot(word(words, 1)).fd, room(words)); }

// bind S any|loop|taken, bind S reported C: the address at which the other side of C sees us.
std::string bind_step(const Words& words) {
  const int fd = slot(word(words, 1)).fd;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (!address_of(word(words, 2), family_of(fd), address, length)) {
    if (getsockname(slot(word(words, 3)).fd, generic(address), &length) != 0)
      return "no address to bind to";
    // The port is the third and fourth byte in both families.
    std::memset(reinterpret_cast<char*>(&address) + 2, 0, 2);
  }
  before_call();
  return result(::bind(fd, generic(address), length));
}

// connect S PARTNER|any|unspec|short|unix|inet; the last four are no addresses to connect to
//
// Allowed difference: a connect() that does not block may be done at once, directly. It says "on its way" all the same.
std::string connect_step(const Words& words) {
  Slot& here = slot(word(words, 1));
  const std::string where = word(words, 2);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (!address_of(where, family_of(here.fd), address, length))
    address.ss_family = where == "unspec" ? AF_UNSPEC : where == "unix" ? AF_UNIX : AF_INET;
  if (where == "short")
    length = 6;
  before_call();
  const int connected = connect(here.fd, generic(address), length);
  const int error = errno;
  std::string said = result(connected);
  if (!here.connection)
    return said;
  // A reset that a call has told of leaves the socket free, whatever is expected of it.
  const bool is_free = here.connection->phase == Phase::fresh || (connected < 0 && error == EINPROGRESS);
  if (where == "unspec" && connected == 0)
    disconnected(*here.connection);
  else if (is_free && (connected == 0 || error == EINPROGRESS))
    connecting(*here.connection, where, connected == 0);
  if (is_free && connected == 0 && (fcntl(here.fd, F_GETFL) & O_NONBLOCK))
    said = "EINPROGRESS";
  return said + settled(here);
}

// listen S BACKLOG
std::string listen_step(const Words& words) {
  const Slot& here = slot(word(words, 1));
  before_call();
  const int listening = listen(here.fd, number(words, 2));
  if (listening == 0 && here.connection)
    here.connection->phase = Phase::listening;
  return result(listening);
}

// accept S NEW [nonblock|cloexec]
std::string accept_step(const Words& words) {
  const Slot here = slot(word(words, 1));
  const std::string flags = word(words, 3);
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  before_call();
  const int fd =
      flags.empty() ? accept(here.fd, generic(address), &length)
                    : accept4(here.fd, generic(address), &length, descriptor_flags(flags, SOCK_NONBLOCK, SOCK_CLOEXEC));
  std::string said = result(fd < 0 ? -1 : 0);
  if (fd < 0)
    return said;
  Slot& made = slot(word(words, 2));
  made = {fd, &new_connection()};
  accepted(*made.connection);
  if (here.connection)
    here.connection->call_comes = false;
  return said + " " + address_text(address) + ", " + std::to_string(length) + " bytes" + settled(made);
}

// call CONTROL LISTENER: asks the partner to call us.
std::string call_step(const Words& words) {
  const Slot control = slot(word(words, 1)), listener = slot(word(words, 2));
  sockaddr_storage address{}, own{};
  socklen_t length = sizeof address, own_length = sizeof own;
  if (!control.connection || !listener.connection || getsockname(listener.fd, generic(address), &length) != 0 ||
      getsockname(control.fd, generic(own), &own_length) != 0)
    return "nobody to call";
  char ip[INET6_ADDRSTRLEN] = "";
  const auto text_of = [&](const sockaddr_storage& of) {
    if (of.ss_family == AF_INET)
      inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(of).sin_addr, ip, sizeof ip);
    else
      inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(of).sin6_addr, ip, sizeof ip);
    return std::string{ip}.substr(std::string_view{ip}.starts_with("::ffff:") ? 7 : 0);
  };
  std::string where = text_of(address);
  if (where == "0.0.0.0" || where == "::")
    where = text_of(own);
  const auto port = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  const std::string message = "call " + where + " " + std::to_string(port) + "\n";
  if (send(control.fd, message.data(), message.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(message.size()))
    return "not sent: " + result(-1);
  called(*control.connection, *listener.connection);
  return "sent" + settled(control) + settled(listener);
}

// shutdown S RD|WR|RDWR
std::string shutdown_step(const Words& words) {
  Slot& here = slot(word(words, 1));
  const std::string how = word(words, 2);
  // generate.py says why that is left out; here so that no shorter sequence comes to it.
  if (const Connection* it = here.connection; it && (it->phase == Phase::fresh || it->reset_comes))
    return "nothing to shut down";
  before_call();
  const int ended = shutdown(here.fd, how == "RD" ? SHUT_RD : how == "WR" ? SHUT_WR : how == "RDWR" ? SHUT_RDWR : 77);
  const std::string said = result(ended);
  if (!here.connection || ended != 0)
    return said;
  const bool is_listening = here.connection->phase == Phase::listening;
  if (here.connection->phase == Phase::connecting || (is_listening && how != "WR"))
    disconnected(*here.connection);
  else if (is_listening)
    return said;
  else if (how != "RD")
    shut(*here.connection);
  return said + settled(here);
}

// dup S NEW, dupfd S NEW, dup2 S OTHER
std::string dup_step(const Words& words) {
  const Slot here = slot(word(words, 1));
  Slot& made = slot(word(words, 2));
  before_call();
  const int fd = words[0] == "dup2" && made.fd >= 0 ? dup2(here.fd, made.fd)
                 : words[0] == "dupfd"              ? fcntl(here.fd, F_DUPFD_CLOEXEC, 0)
                                                    : dup(here.fd);
  const std::string said = result(fd < 0 ? -1 : 0);
  if (fd >= 0)
    made = {fd, here.connection};
  return said;
}

// close S
std::string close_step(const Words& words) {
  Slot& here = slot(word(words, 1));
  before_call();
  const std::string said = result(close(here.fd));
  here = {};
  return said;
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

std::string play_socket_step(const Words& words) {
  static const std::map<std::string, std::string (*)(const Words&)> verbs = {
      {"socket", socket_step}, {"set", set_step},       {"get", get_step},           {"bind", bind_step},
      {"name", name_step},     {"peer", peer_step},     {"connect", connect_step},   {"listen", listen_step},
      {"accept", accept_step}, {"call", call_step},     {"shutdown", shutdown_step}, {"dup", dup_step},
      {"dup2", dup_step},      {"dupfd", dup_step},     {"close", close_step},       {"getfl", flags_step},
      {"setfl", flags_step},   {"fionbio", ioctl_step}, {"fionread", ioctl_step},
  };
  const auto found = verbs.find(words[0]);
  return found == verbs.end() ? "" : found->second(words);
}

} // namespace differential
