// SPDX-License-Identifier: MIT
#include "socks4d/session/ident.h"
#include <doctest/doctest.h>

using namespace socks4d;
using namespace std::literals;

namespace {

IdentAnswer answer(std::string_view line, std::string_view userid = "fred") {
  return parse_ident(line, 6193, 1080, userid);
}

} // namespace

TEST_CASE("the userid is compared octet by octet") {
  CHECK(answer("6193, 1080 : USERID : UNIX : fred") == IdentAnswer::same_user);
  CHECK(answer("6193,1080:USERID:UNIX:fred") == IdentAnswer::same_user);
  CHECK(answer(" 6193 , 1080 : USERID : OTHER : fred") == IdentAnswer::same_user);
  CHECK(answer("6193, 1080 : USERID : UNIX , UTF-8 : fred") == IdentAnswer::same_user);
  CHECK(answer("6193, 1080 : USERID : UNIX : Fred") == IdentAnswer::other_user);
  CHECK(answer("6193, 1080 : USERID : UNIX : fred ") == IdentAnswer::other_user);
  CHECK(answer("6193, 1080 : USERID : UNIX :  fred") == IdentAnswer::other_user);
  CHECK(answer("6193, 1080 : USERID : UNIX : fre") == IdentAnswer::other_user);
  CHECK(answer("6193, 1080 : USERID : UNIX : fred", "") == IdentAnswer::other_user);
  CHECK(answer("6193, 1080 : USERID : UNIX : a:b", "a:b") == IdentAnswer::same_user);
}

TEST_CASE("a line that is not a reply about this connection is no answer") {
  CHECK(answer("") == IdentAnswer::none);
  CHECK(answer("6193, 1080 : ERROR : NO-USER") == IdentAnswer::none);
  CHECK(answer("6193, 1081 : USERID : UNIX : fred") == IdentAnswer::none);
  CHECK(answer("1080, 6193 : USERID : UNIX : fred") == IdentAnswer::none);
  CHECK(answer("6193 1080 : USERID : UNIX : fred") == IdentAnswer::none);
  CHECK(answer("06193, 1080 : USERID : UNIX") == IdentAnswer::none);
  CHECK(answer("6193, 1080 : userid : UNIX : fred") == IdentAnswer::none);
  CHECK(answer("6193, 1080 : USERID : : fred") == IdentAnswer::none);
  CHECK(answer("6193, 1080 : USERID : UNIX : ") == IdentAnswer::none);
  CHECK(answer("6193, 1080 : USERID : UNIX : fr\0ed"sv) == IdentAnswer::none);
  CHECK(answer("HTTP/1.0 400 Bad Request") == IdentAnswer::none);
}
