// SPDX-License-Identifier: MIT
// Steps of a socket's life: socket, bind, connect, listen, accept, shutdown, dup, close.
#include "calls.h"
#include "player.h"
#include "text.h"
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <netinet/in.h>
#include <unistd.h>

namespace differential {
namespace {

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

// bind S any|loop|taken, bind S reported C: the local address of C, as its peer sees it.
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
  return result(calls::bind(fd, generic(address), length));
}

// connect S PARTNER|any|unspec|short|unix|inet: one cannot connect to the last four.
//
// Allowed difference: without the shim, a non-blocking connect() may succeed at once. It is reported as EINPROGRESS.
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
  const long connected = calls::connect(here.fd, generic(address), length);
  const int error = errno;
  std::string said = result(connected);
  if (!here.connection)
    return said;
  // After a call has reported a reset the socket is free, whatever else was expected.
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
  const long listening = calls::listen(here.fd, number(words, 2));
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
  const int fd = static_cast<int>(flags.empty() ? calls::accept(here.fd, generic(address), &length)
                                                : calls::accept4(here.fd, generic(address), &length,
                                                                 descriptor_flags(flags, SOCK_NONBLOCK, SOCK_CLOEXEC)));
  std::string said = result(fd < 0 ? -1 : 0);
  if (fd < 0)
    return said;
  Slot& made = slot(word(words, 2));
  made = {fd, &new_connection()};
  accepted(*made.connection, here.connection);
  return said + " " + address_text(address) + ", " + std::to_string(length) + " bytes" + settled(made);
}

// An IPv4 address as text, also if it is v4-mapped.
std::string ip_text(const sockaddr_storage& address) {
  char ip[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET)
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, ip, sizeof ip);
  else
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, ip, sizeof ip);
  return std::string{ip}.substr(std::string_view{ip}.starts_with("::ffff:") ? 7 : 0);
}

// Empty if one of the two has no address.
std::string call_command(int control, int listener) {
  sockaddr_storage address{}, own{};
  socklen_t length = sizeof address, own_length = sizeof own;
  if (getsockname(listener, generic(address), &length) != 0 || getsockname(control, generic(own), &own_length) != 0)
    return "";
  std::string where = ip_text(address);
  if (where == "0.0.0.0" || where == "::")
    where = ip_text(own);
  return "call " + where + " " + std::to_string(ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port)) + "\n";
}

bool tell(const Slot& control, const std::string& message) {
  return ::send(control.fd, message.data(), message.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(message.size());
}

// call CONTROL LISTENER: asks the partner at the other end of CONTROL to connect to LISTENER.
std::string call_step(const Words& words) {
  const Slot control = slot(word(words, 1)), listener = slot(word(words, 2));
  const bool can_call = control.connection && listener.connection;
  const std::string message = can_call ? call_command(control.fd, listener.fd) : "";
  if (message.empty())
    return "nobody to call";
  if (!tell(control, message))
    return "not sent: " + result(-1);
  called(*control.connection, *listener.connection);
  return "sent" + settled(control) + settled(listener);
}

// say CONTROL LISTENER: the caller sends a line, before the call is accepted.
std::string say_step(const Words& words) {
  const Slot control = slot(word(words, 1)), listener = slot(word(words, 2));
  if (!listener.connection || !listener.connection->call_comes || listener.connection->caller != control.connection)
    return "nobody to say it";
  if (!tell(control, "say\n"))
    return "not sent: " + result(-1);
  said(*control.connection, *listener.connection);
  return "sent" + settled(control) + settled(listener);
}

// shutdown S RD|WR|RDWR
std::string shutdown_step(const Words& words) {
  Slot& here = slot(word(words, 1));
  const std::string how = word(words, 2);
  // generate.py explains this exception. It is repeated here because shrinking could produce such a sequence.
  if (const Connection* it = here.connection; it && (it->phase == Phase::fresh || it->reset_comes))
    return "nothing to shut down";
  before_call();
  const long ended = calls::shutdown(here.fd, how == "RD"     ? SHUT_RD
                                              : how == "WR"   ? SHUT_WR
                                              : how == "RDWR" ? SHUT_RDWR
                                                              : 77);
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

} // namespace

std::string play_socket_step(const Words& words) {
  static const std::map<std::string, std::string (*)(const Words&)> verbs = {
      {"socket", socket_step}, {"bind", bind_step}, {"connect", connect_step}, {"listen", listen_step},
      {"accept", accept_step}, {"call", call_step}, {"say", say_step},         {"shutdown", shutdown_step},
      {"dup", dup_step},       {"dup2", dup_step},  {"dupfd", dup_step},       {"close", close_step},
  };
  const auto found = verbs.find(words[0]);
  return found == verbs.end() ? "" : found->second(words);
}

} // namespace differential
