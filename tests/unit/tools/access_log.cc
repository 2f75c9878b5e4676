// SPDX-License-Identifier: MIT
#include "socks4d/access_log.h"
#include <doctest/doctest.h>

using namespace socks4d;

TEST_CASE("a quoted value can end neither the field nor the line") {
  CHECK(quoted("fred") == "\"fred\"");
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("a\" result=granted x=\"") == "\"a\\\" result=granted x=\\\"\"");
  CHECK(quoted("a\\") == "\"a\\\\\"");
  CHECK(quoted("a\nb\r\t\x1b\x7f") == "\"a\\x0ab\\x0d\\x09\\x1b\\x7f\"");
  CHECK(quoted(std::string_view("\0\xff", 2)) == "\"\\x00\\xff\"");
}
