// SPDX-License-Identifier: MIT
// The reply of an identd, which may be any program: the userid is the one in the line, or none.
#include "socks4d/ident.h"
#include "fuzz.h"

using namespace socksify;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto answer = parse_ident(line, 6193, 23, "stjohns");
  if (answer == IdentAnswer::same_user)
    HOLDS(line.ends_with("stjohns") && line.find("6193") != line.npos && line.find("USERID") != line.npos);
  HOLDS((parse_ident(line, 6194, 23, "stjohns") == IdentAnswer::none) || answer == IdentAnswer::none);
  return 0;
}
