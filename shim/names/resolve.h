// SPDX-License-Identifier: MIT
// How a name is resolved: by the C library, by ourselves without asking any server, or by a stand-in, so that the SOCKS
// server resolves it when a connection is made.
#pragma once
#include "names/lookup_result.h"
#include <netdb.h>

namespace socksify::resolve {

// What a program asks for.
struct Question {
  enum class Way {
    libc,    // an address, or a name that goes directly: the C library's alone
    first,   // the C library may know it
    ours,    // the C library would ask a server: it is not asked
    nothing, // nor can it be a name
  };
  Way way = Way::libc;
  Name name;                   // ours or first
  bool is_direct = false;      // NO_PROXY matches it
  bool is_to_be_noted = false; // what the C library answers tells which addresses are direct

  static Question about(const char* node);
  void note(const addrinfo* answers) const;
  void note(const hostent& answer) const;
};

// What there is without the C library. `asked`: it has been asked first, and did not know the name. Unsure: the program
// may try again.
Answer answer(const Question& question, bool asked);

// The name of an address, where that is ours to tell: a stand-in's, or any if no server is to be asked.
struct Reverse {
  bool is_ours = false;
  std::optional<Name> name;
};
Reverse name_of(const Ip& ip);

// getaddrinfo() itself: 0 or EAI_*.
int addresses(const char* node, const char* service, const addrinfo* hints, addrinfo** result);

} // namespace socksify::resolve
