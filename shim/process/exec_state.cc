// SPDX-License-Identifier: MIT
#include "process/exec_state.h"
#include "base/fd.h"
#include "base/format.h"
#include "config/config.h"
#include "handshake/pending.h"
#include "handshake/progress.h"
#include "kernel/cookie_map.h"
#include "kernel/fork.h"
#include "kernel/open_fds.h"
#include "process/environment.h"
#include "sockets/readiness.h"
#include "sockets/registry.h"
#include <cstdlib>
#include <cstring>

namespace socksify::exec_state {
namespace {

using sockets::Identity;

struct Record {
  Identity key = 0;
  Socket socket;
};

using Bytes = std::array<uint8_t, sizeof(Identity) + sizeof(Socket)>;
static_assert(sizeof(Bytes) == 48); // two digits each, and a comma

Bytes to_bytes(const Record& record) {
  Bytes bytes;
  std::memcpy(bytes.data(), &record.key, sizeof record.key);
  std::memcpy(bytes.data() + sizeof record.key, &record.socket, sizeof record.socket);
  return bytes;
}

Record from_bytes(const Bytes& bytes) {
  Record record;
  std::memcpy(&record.key, bytes.data(), sizeof record.key);
  std::memcpy(static_cast<void*>(&record.socket), bytes.data() + sizeof record.key, sizeof record.socket);
  return record;
}

bool can_be_handed_over(const Socket& socket) {
  switch (socket.state()) {
  case State::connected:
  case State::bound:
  case State::listening:
  case State::accepted:
  case State::dummy_listener:
    return socket.server < config().server_count && (socket.family == AF_INET || socket.family == AF_INET6);
  case State::none:
  case State::pending:
  case State::failed:
  case State::accepting:
    break;
  }
  return false;
}

std::optional<Socket> finished(Identity key, int fd) {
  auto socket = sockets::lookup(key);
  if (is_pending(socket) && await_end(key, fd, Deadline::never()) == 0)
    socket = sockets::lookup(key);
  return socket;
}

constexpr char digits[] = "0123456789abcdef";
int digit(char c) { return c >= 'a' ? c - 'a' + 10 : c - '0'; }

// The next record of a text; false at its end.
bool take(std::string_view& text, Record& record) {
  Bytes bytes;
  if (text.size() < 2 * bytes.size())
    return false;
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  record = from_bytes(bytes);
  text.remove_prefix(2 * bytes.size());
  if (text.starts_with(','))
    text.remove_prefix(1);
  return true;
}

} // namespace

bool write(Entry& entry, bool all) {
  if (sockets::empty())
    return false;
  KeepErrno keep;
  Identity written[most];
  int count = 0;
  for_each_open_fd([&](int fd) {
    if (count == most || (!all && fcntl(fd, F_GETFD) & FD_CLOEXEC))
      return;
    const Identity key = sockets::identity(fd);
    for (int i = 0; i < count; ++i)
      if (written[i] == key)
        return;
    auto socket = all ? sockets::lookup(key) : finished(key, fd);
    if (!socket || !can_be_handed_over(*socket))
      return;
    socket->fd = fd;
    if (count == 0)
      entry.append(FMT_COMPILE("{}="), environment::state_variable);
    for (const uint8_t byte : to_bytes({key, *socket}))
      entry.append(FMT_COMPILE("{}{}"), digits[byte >> 4], digits[byte & 15]);
    entry.append(FMT_COMPILE(","));
    written[count++] = key;
  });
  return count > 0;
}

void read() {
  const char* value = getenv(environment::state_variable.data());
  if (!value)
    return;
  std::string_view text{value};
  for (Record record; take(text, record);)
    if (can_be_handed_over(record.socket) && sockets::find_open_fd(record.key, record.socket.fd) >= 0 &&
        sockets::remember(record.key, record.socket)) {
      forks::record_inherited();
      if (record.socket.is<AwaitingCall>())
        readiness::bind_started();
    }
  unsetenv(environment::state_variable.data());
}

} // namespace socksify::exec_state
