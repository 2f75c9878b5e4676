// SPDX-License-Identifier: MIT
// How a name is resolved: by the C library, by ourselves without asking any server, or by a stand-in, so that the SOCKS
// server resolves it when a connection is made.
#pragma once
#include "names/lookup_result.h"
#include <netdb.h>

namespace socksify::resolve {

// Who resolves a name.
enum class Resolver {
  libc_only,    // an address, or a name that NO_PROXY matches
  libc_then_us, // libc may know it
  us_only,      // libc would ask a name server, and must not
  nobody,       // it cannot be a host name
};

// One look-up of the program.
struct NameQuery {
  Resolver resolver = Resolver::libc_only;
  Name name;                // us_only and libc_then_us
  bool is_direct = false;   // NO_PROXY matches it
  bool is_recorded = false; // libc's answer tells which addresses are direct

  static NameQuery about(const char* node);
  void note(const addrinfo* answers) const;
  void note(const hostent& answer) const;
};

// What there is without the C library. `asked`: it has been asked first, and did not know the name. Unsure: the program
// may try again.
Answer answer(const NameQuery& query, bool asked);

// The name of an address, where that is ours to tell: a stand-in's, or any if no server is to be asked.
struct Reverse {
  bool is_ours = false;
  std::optional<Name> name;
};
Reverse name_of(const Ip& ip);

// getaddrinfo() itself: 0 or EAI_*.
int addresses(const char* node, const char* service, const addrinfo* hints, addrinfo** result);

} // namespace socksify::resolve
