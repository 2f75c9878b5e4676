// SPDX-License-Identifier: MIT
#include "process/exec_state.h"
#include "base/fd.h"
#include "config/config.h"
#include "handshake/progress.h"
#include "kernel/fork.h"
#include "process/environment.h"
#include "sockets/open_fds.h"
#include "sockets/readiness.h"
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace socksify::exec_state {
namespace {

using sockets::Identity;

// A change here, in Socket or in State needs a new version.
using Bytes = std::array<uint8_t, sizeof(Identity) + sizeof(Socket)>;
static_assert(sizeof(Bytes) == 48 && sizeof(Socket) == 40 && sizeof(AwaitingCall) == 32);
static_assert(static_cast<int>(State::dummy_listener) == 8);

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

bool can_be_passed_on(const Socket& socket) {
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

// The socket after the end of a CONNECT in progress.
std::optional<Socket> finished(Identity key, int fd) {
  auto socket = sockets::lookup(key);
  if (is_pending(socket) && await_end(key, fd, Deadline::never()) == 0)
    socket = sockets::lookup(key);
  return socket;
}

constexpr std::string_view digits = "0123456789abcdef";

// 16 or more: not a byte.
unsigned nibble(char c) { return static_cast<unsigned>(std::min(digits.find(c), digits.size())); }

bool parse_byte(std::string_view text, size_t at, uint8_t& byte) {
  const unsigned high = nibble(text[at]), low = nibble(text[at + 1]);
  byte = static_cast<uint8_t>(high << 4 | low);
  return high < 16 && low < 16;
}

// The record of an open socket that the next program can use.
std::optional<Record> record_of(int fd, bool all) {
  if (!all && fcntl(fd, F_GETFD) & FD_CLOEXEC)
    return std::nullopt;
  const Identity key = sockets::identity(fd);
  auto socket = all ? sockets::lookup(key) : finished(key, fd);
  if (!socket || !can_be_passed_on(*socket))
    return std::nullopt;
  socket->fd = fd;
  return Record{key, *socket};
}

void accept(const Record& record) {
  if (!can_be_passed_on(record.socket) || sockets::find_open_fd(record.key, record.socket.fd) < 0 ||
      !sockets::remember(record.key, record.socket))
    return;
  forks::record_inherited();
  if (record.socket.is<AwaitingCall>())
    readiness::bind_started();
}

} // namespace

void append(Entry& entry, const Record& record) {
  if (entry.view().empty())
    entry.append("{}={}", environment::state_variable, version);
  char text[record_size];
  char* next = text;
  for (const uint8_t byte : to_bytes(record)) {
    *next++ = digits[byte >> 4];
    *next++ = digits[byte & 15];
  }
  *next = ',';
  entry.add({text, sizeof text});
}

std::string_view records_of(std::string_view value) {
  if (!value.starts_with(version))
    return {};
  value.remove_prefix(version.size());
  return value;
}

std::optional<Record> next_record(std::string_view& records) {
  Bytes bytes;
  if (records.size() < record_size || records[record_size - 1] != ',')
    return std::nullopt;
  for (size_t i = 0; i < bytes.size(); ++i)
    if (!parse_byte(records, 2 * i, bytes[i]))
      return std::nullopt;
  records.remove_prefix(record_size);
  return from_bytes(bytes);
}

bool write(Entry& entry, bool all) {
  if (sockets::empty())
    return false;
  KeepErrno keep;
  const NoCancellation whole;
  Identity written[most];
  int count = 0;
  for_each_open_fd([&](int fd) {
    if (count == most)
      return;
    const auto record = record_of(fd, all);
    if (!record || std::find(written, written + count, record->key) != written + count)
      return;
    append(entry, *record);
    written[count++] = record->key;
  });
  return count > 0;
}

void read() {
  const char* value = getenv(environment::state_variable.data());
  if (!value)
    return;
  std::string_view records = records_of(value);
  while (const auto record = next_record(records))
    accept(*record);
  unsetenv(environment::state_variable.data());
}

} // namespace socksify::exec_state
