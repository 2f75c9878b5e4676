// SPDX-License-Identifier: MIT
// rcmd(3) and rexec(3). The C library's own connect by calls that no hook sees, so they are done here as glibc does
// them, by calls that have hooks. The second connection, for stderr, is a BIND.
#include "base/fd.h"
#include "config/config.h"
#include "kernel/call.h"
#include "kernel/real.h"
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

using namespace socksify;

extern "C" void ruserpass(const char* host, const char** name, const char** password);

namespace {

constexpr int least_reserved = IPPORT_RESERVED / 2;

bool is_reserved(int port) { return port >= least_reserved && port < IPPORT_RESERVED; }

int next_lower(int port) { return port == least_reserved ? IPPORT_RESERVED - 1 : port - 1; }

// "WHO: WHY" on stderr; -1.
int complain(const char* who, const char* why) {
  fprintf(stderr, "%s: %s\n", who, why);
  return -1;
}

// rcmd() has SIGURG blocked.
class NoUrgentSignals {
public:
  NoUrgentSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGURG);
    pthread_sigmask(SIG_BLOCK, &signals, &m_before);
  }
  ~NoUrgentSignals() { pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
  NoUrgentSignals(const NoUrgentSignals&) = delete;
  NoUrgentSignals& operator=(const NoUrgentSignals&) = delete;

private:
  sigset_t m_before;
};

// --- the host

struct Addresses {
  addrinfo* first = nullptr;
  Addresses() = default;
  ~Addresses() {
    if (first)
      freeaddrinfo(first);
  }
  Addresses(const Addresses&) = delete;
  Addresses& operator=(const Addresses&) = delete;
};

int look_up(const char* host, uint16_t port, sa_family_t family, Addresses& found) {
  char service[8];
  snprintf(service, sizeof service, "%d", ntohs(port));
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  return getaddrinfo(host, service, &hints, &found.first);
}

// The caller's name becomes the canonical one, in memory that is ours until the next call.
bool rename(char** host, const Addresses& found) {
  static constinit char* last = nullptr;
  char* const name = found.first->ai_canonname ? strdup(found.first->ai_canonname) : nullptr;
  free(last);
  *host = last = name;
  return name;
}

// --- the connection

struct Attempt {
  int fd = -1;
  bool is_refused = false;
};

// Connects from a reserved port, and leaves the next one to try in `port`.
Attempt connect_from_reserved(const addrinfo& to, int& port) {
  for (;;) {
    Fd fd{REAL(rresvport_af)(&port, to.ai_family)};
    if (!fd) {
      complain("rcmd: socket", errno == EAGAIN ? "All ports in use" : strerror(errno));
      return {};
    }
    fcntl(fd.get(), F_SETOWN, getpid());
    port = next_lower(port);
    if (connect(fd.get(), to.ai_addr, to.ai_addrlen) == 0)
      return {fd.release()};
    if (errno != EADDRINUSE)
      return {-1, errno == ECONNREFUSED};
  }
}

Attempt connect_from_any(const addrinfo& to, int&) {
  Fd fd{socket(to.ai_family, to.ai_socktype, 0)};
  if (!fd || connect(fd.get(), to.ai_addr, to.ai_addrlen) != 0)
    return {-1, errno == ECONNREFUSED};
  return {fd.release()};
}

// Tries all addresses; as long as one refuses, again after 1, 2, 4, 8 and 16 seconds: a server may be starting.
template <typename Connect>
int connect_to_one(const Addresses& found, const char* host, int& port, Connect connect_once) {
  for (unsigned delay = 1;; delay *= 2) {
    bool is_refused = false;
    for (const addrinfo* to = found.first; to; to = to->ai_next) {
      const Attempt attempt = connect_once(*to, port);
      if (attempt.fd >= 0)
        return attempt.fd;
      is_refused |= attempt.is_refused;
    }
    if (!is_refused || delay > 16)
      return complain(host, strerror(errno));
    sleep(delay);
  }
}

// --- the second connection

int port_of(const sockaddr_storage& address, socklen_t length) {
  const auto found = IpPort::from(reinterpret_cast<const sockaddr*>(&address), length);
  return found ? found->port : 0;
}

bool send_port(int fd, int port) {
  char text[8];
  const int size = snprintf(text, sizeof text, "%d", port) + 1;
  return write(fd, text, static_cast<size_t>(size)) == size;
}

// The server's call, unless it ends the first connection instead. What `from` is then: its port.
int await_second(int fd, int listener, int& from) {
  pollfd both[2] = {{fd, POLLIN, 0}, {listener, POLLIN, 0}};
  int ready;
  while ((ready = poll(both, 2, -1)) < 0 && errno == EINTR)
    ;
  if (ready < 1 || !(both[1].revents & POLLIN))
    return complain("socket", "protocol failure in circuit setup");
  sockaddr_storage peer{};
  socklen_t length = sizeof peer;
  int second;
  while ((second = accept(listener, reinterpret_cast<sockaddr*>(&peer), &length)) < 0 && errno == EINTR)
    ;
  from = port_of(peer, length);
  return second < 0 ? complain("accept", strerror(errno)) : second;
}

int open_second(int fd, Fd listener, int& from) {
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  if (!listener || listen(listener.get(), 1) != 0 ||
      getsockname(listener.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0)
    return complain("socket", strerror(errno));
  if (!send_port(fd, port_of(own, length)))
    return complain("write (setting up stderr)", strerror(errno));
  return await_second(fd, listener.get(), from);
}

// --- the request

void send_text(int fd, const char* text) { [[maybe_unused]] const auto sent = write(fd, text, std::strlen(text) + 1); }

// After a byte that is not 0 comes a line that says why.
bool copy_complaint(int fd) {
  char byte;
  while (read(fd, &byte, 1) == 1) {
    [[maybe_unused]] const auto written = write(STDERR_FILENO, &byte, 1);
    if (byte == '\n')
      break;
  }
  return false;
}

bool is_granted(int fd, const char* host) {
  char verdict;
  ssize_t got;
  while ((got = read(fd, &verdict, 1)) < 0 && errno == EINTR)
    ;
  if (got != 1)
    return complain(host, got == 0 ? "short read" : strerror(errno)) == 0;
  return verdict == 0 || copy_complaint(fd);
}

struct Request {
  const char* first;  // the local user, or the user
  const char* second; // the remote user, or the password
  const char* command;
};

bool asks(int fd, const char* host, const Request& request) {
  send_text(fd, request.first);
  send_text(fd, request.second);
  send_text(fd, request.command);
  return is_granted(fd, host);
}

// The rest of both calls. `listener` is for the second connection, if one is wanted; its other end has a reserved port
// in rcmd().
int run(Fd fd, const char* host, const Request& request, int* second, Fd listener, bool is_rcmd) {
  Fd back;
  if (!second) {
    send_text(fd.get(), "");
  } else {
    int from = 0;
    back = Fd{open_second(fd.get(), std::move(listener), from)};
    if (!back)
      return -1;
    if (is_rcmd && !is_reserved(from))
      return complain("socket", "protocol failure in circuit setup");
  }
  if (!asks(fd.get(), host, request))
    return -1;
  if (second)
    *second = back.release();
  return fd.release();
}

int by_rcmd(char** host, uint16_t port, const Request& request, int* second, sa_family_t family) {
  Addresses found;
  if (const int error = look_up(*host, port, family, found))
    return error == EAI_NONAME ? complain(*host, "Unknown host") : complain("rcmd: getaddrinfo", gai_strerror(error));
  rename(host, found);
  const char* const name = *host ? *host : "";
  const NoUrgentSignals guard;
  int own_port = IPPORT_RESERVED - 1;
  Fd fd{connect_to_one(found, name, own_port, connect_from_reserved)};
  if (!fd)
    return -1;
  Fd listener{second ? rresvport_af(&own_port, found.first->ai_family) : -1};
  return run(std::move(fd), name, request, second, std::move(listener), true);
}

int by_rexec(char** host, uint16_t port, Request request, int* second, sa_family_t family) {
  Addresses found;
  if (look_up(*host, port, family, found) != 0)
    return -1;
  if (!rename(host, found))
    return fail(ENOENT);
  REAL(ruserpass)(*host, &request.first, &request.second); // asks for what is missing
  int unused = 0;
  Fd fd{connect_to_one(found, *host, unused, connect_from_any)};
  if (!fd)
    return -1;
  Fd listener{second ? socket(found.first->ai_family, SOCK_STREAM, 0) : -1};
  return run(std::move(fd), *host, request, second, std::move(listener), false);
}

bool is_ip(sa_family_t family) { return family == AF_INET || family == AF_INET6 || family == AF_UNSPEC; }

} // namespace

HOOK int rcmd_af(char** host, uint16_t port, const char* local_user, const char* remote_user, const char* command,
                 int* second, sa_family_t family) {
  if (!config().active || !is_ip(family))
    return REAL(rcmd_af)(host, port, local_user, remote_user, command, second, family);
  return by_rcmd(host, port, {local_user, remote_user, command}, second, family);
}

HOOK int rcmd(char** host, uint16_t port, const char* local_user, const char* remote_user, const char* command,
              int* second) {
  return rcmd_af(host, port, local_user, remote_user, command, second, AF_INET);
}

HOOK int rexec_af(char** host, int port, const char* user, const char* password, const char* command, int* second,
                  sa_family_t family) {
  if (!config().active || !is_ip(family))
    return REAL(rexec_af)(host, port, user, password, command, second, family);
  return by_rexec(host, static_cast<uint16_t>(port), {user, password, command}, second, family);
}

HOOK int rexec(char** host, int port, const char* user, const char* password, const char* command, int* second) {
  return rexec_af(host, port, user, password, command, second, AF_INET);
}
