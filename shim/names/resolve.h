// SPDX-License-Identifier: MIT
// Decides how a name is resolved: by the C library; by us, without asking a DNS server; or by a fake IP, so that the
// SOCKS server resolves it when a connection is made.
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

// One look-up by the program.
struct NameQuery {
  Resolver resolver = Resolver::libc_only;
  Name name;                // us_only and libc_then_us
  bool is_direct = false;   // NO_PROXY matches it
  bool is_recorded = false; // NO_PROXY is set, so the addresses in libc's answer are recorded as direct or not

  static NameQuery about(const char* node);
  void record(const addrinfo* answers) const;
  void record(const hostent& answer) const;
};

enum class LibcAnswer {
  not_asked,
  unknown,     // it does not know the name, or could not find out
  nonexistent, // it says that there is no such name
};

// Resolves the name without the C library. If the result is unsure, the program may try again.
LookupResult without_libc(const NameQuery& query, LibcAnswer libc);

// The name of an address, if it is up to us: of a fake IP, or of any address if no DNS server may be asked.
struct Reverse {
  bool is_ours = false;
  std::optional<Name> name;
};
Reverse name_of(const Ip& ip);

// getaddrinfo() itself: 0 or EAI_*.
int addresses(const char* node, const char* service, const addrinfo* hints, addrinfo** result);

} // namespace socksify::resolve
