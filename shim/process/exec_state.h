// SPDX-License-Identifier: MIT
// What is remembered of sockets that stay open across exec: written into an environment variable before it, and read
// and removed when the next program loads the library. A socket is identified by its cookie, so an old value, or that
// of a program in between that did not load the library, is never believed.
#pragma once
#include "base/text.h"
#include "process/environment.h"
#include "sockets/registry.h"

namespace socksify::exec_state {

inline constexpr int most = 64; // sockets

struct Record {
  sockets::Identity key = 0;
  Socket socket;
};

// The version names the layout of a record, which 32-bit and 64-bit programs share: see the assertions in
// exec_state.cc. A value of another version is ignored.
inline constexpr std::string_view version = "3:";
inline constexpr size_t record_size = 2 * (sizeof(sockets::Identity) + sizeof(Socket)) + 1; // hexadecimal, and a comma

// "SOCKSIFY_STATE=3:..."
using Entry = Text<environment::state_variable.size() + 1 + version.size() + most * record_size + 1>;

void append(Entry& entry, const Record& record);

// The records of a value; empty if its version is unknown.
std::string_view records_of(std::string_view value);
// Removes the next record from the text. Nothing at the end, and where the text is malformed.
std::optional<Record> next_record(std::string_view& records);

// False if there is nothing to pass on. `all`: includes descriptors that are closed on exec, because the file actions
// of posix_spawn() are unknown. Waits for CONNECTs in progress: nothing would continue them.
bool write(Entry& entry, bool all);

// At load.
void read();

} // namespace socksify::exec_state
