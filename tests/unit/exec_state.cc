// SPDX-License-Identifier: MIT
#include "process/exec_state.h"
#include <doctest/doctest.h>
#include <string>

using namespace socksify;

namespace {

const Socket listening{State::listening,
                       AwaitingCall{.requested = {0, 21},
                                    .primary = {0x0a000001, 21},
                                    .local = {0xc0000207, 4711},
                                    .low_water_mark = 3,
                                    .is_listening = true},
                       AF_INET6, 7, 2};

std::string value_of(uint64_t key, const Socket& socket) {
  exec_state::Entry entry;
  exec_state::append(entry, {key, socket});
  const std::string text{entry.view()};
  return text.substr(text.find('=') + 1);
}

} // namespace

TEST_CASE("what one program writes, the next one reads") {
  const std::string value = value_of(0x1234, listening) + value_of(5, listening).substr(exec_state::version.size());
  std::string_view records = exec_state::records_of(value);
  const auto first = exec_state::next_record(records), second = exec_state::next_record(records);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->key == 0x1234);
  CHECK(second->key == 5);
  CHECK(first->socket.family == AF_INET6);
  CHECK(first->socket.fd == 7);
  CHECK(first->socket.server == 2);
  const AwaitingCall& awaiting = first->socket.as<AwaitingCall>();
  CHECK(awaiting.primary == Endpoint{0x0a000001, 21});
  CHECK(awaiting.local == Endpoint{0xc0000207, 4711});
  CHECK(awaiting.low_water_mark == 3);
  CHECK(awaiting.is_listening);
  CHECK(!exec_state::next_record(records));
}

// Literal, because programs of 32 and 64 bits exchange it, and a change needs another version.
TEST_CASE("version 3 of a record has these bytes") {
  std::string_view records = exec_state::records_of("3:0807060504030201"
                                                    "0702000003000000"
                                                    "0100000a34120000"
                                                    "070200c050000000"
                                                    "00000000000000000000000000000000,");
  const auto record = exec_state::next_record(records);
  REQUIRE(record);
  CHECK(record->key == 0x0102030405060708);
  CHECK(record->socket.state() == State::accepted);
  CHECK(record->socket.fd == 3);
  CHECK(record->socket.peer() == Endpoint{0x0a000001, 0x1234});
  CHECK(record->socket.local() == Endpoint{0xc0000207, 80});
}

TEST_CASE("a value without a version, or with an unknown one, is ignored") {
  const std::string value = value_of(1, listening);
  CHECK(exec_state::records_of(value.substr(exec_state::version.size())).empty());
  CHECK(exec_state::records_of("4:" + value.substr(exec_state::version.size())).empty());
  CHECK(exec_state::records_of("").empty());
}

TEST_CASE("a malformed record ends the list") {
  const std::string value = value_of(1, listening);
  for (size_t length = 0; length < value.size(); ++length) {
    std::string_view records = exec_state::records_of(std::string_view{value}.substr(0, length));
    CHECK(!exec_state::next_record(records));
  }
  for (const size_t at : {exec_state::version.size(), value.size() - 1}) {
    std::string broken = value;
    broken[at] = 'x';
    std::string_view records = exec_state::records_of(broken);
    CHECK(!exec_state::next_record(records));
  }
}
