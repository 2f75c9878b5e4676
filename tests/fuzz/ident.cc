// SPDX-License-Identifier: MIT
// identd may be anybody's program: a userid is accepted only if it is the one in the reply.
#include "socks4d/session/ident.h"
#include "fuzz.h"

using namespace socks4d;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto answer = parse_ident(line, 6193, 23, "stjohns");
  if (answer == IdentAnswer::same_user)
    HOLDS(line.ends_with("stjohns") && line.find("6193") != line.npos && line.find("USERID") != line.npos);
  HOLDS((parse_ident(line, 6194, 23, "stjohns") == IdentAnswer::none) || answer == IdentAnswer::none);
  return 0;
}
