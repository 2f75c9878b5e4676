// SPDX-License-Identifier: MIT
#include "launcher/error.h"
#include "launcher/settings/settings_text.h"
#include <doctest/doctest.h>
#include <string>

using namespace socksify::launcher;
using namespace std::literals;

namespace {

// "NAME=value" for each setting, then "LINE: ERROR".
std::string read(std::string_view text) {
  std::string result;
  SettingsText settings(text);
  try {
    for (Assignment assignment; settings.next(assignment);)
      result += assignment.setting->name + "="s + assignment.value + "\n";
  } catch (const Error& error) {
    result += std::to_string(settings.line()) + ": " + error.text;
  }
  return result;
}

std::string error_in(std::string_view name, std::string_view servers) {
  try {
    judge_servers(name, servers);
  } catch (const Error& error) {
    return error.text;
  }
  return "";
}

} // namespace

TEST_CASE("settings: blanks, comments and quotes") {
  CHECK(read("").empty());
  CHECK(read("# x = y\n\n \t# z\n \r\n").empty());
  CHECK(read("SOCKS_SERVER=a:1") == "SOCKS_SERVER=a:1\n");
  CHECK(read(" SOCKS_SERVER\t= \"a:1\" \r\nNO_PROXY = '*' ") == "SOCKS_SERVER=a:1\nNO_PROXY=*\n");
  CHECK(read("\xEF\xBB\xBFSOCKS_SERVER=a:1\r\n") == "SOCKS_SERVER=a:1\n");
  CHECK(read("\xEF\xBB\xBF").empty());
  CHECK(read("SOCKS_USER=\"") == "SOCKS_USER=\"\n");
  CHECK(read("SOCKS_USER=\"a'") == "SOCKS_USER=\"a'\n");
  CHECK(read("SOCKS_USER='a \"b\" #c'") == "SOCKS_USER=a \"b\" #c\n");
  CHECK(read("SOCKS_USER=''\nNO_PROXY=\"\"\n") == "SOCKS_USER=\nNO_PROXY=\n");
  CHECK(read("SOCKS_USER=a=b") == "SOCKS_USER=a=b\n");
}

TEST_CASE("settings: an error names the line and the reason") {
  CHECK(read("\nword") == "2: 'word': not NAME=VALUE");
  CHECK(read("PATH=/x").starts_with("1: 'PATH': no such setting; there are SOCKS_SERVER SOCKS_USER "));
  CHECK(read("=x").starts_with("1: '': no such setting"));
  CHECK(read("socks_server=x").starts_with("1: 'socks_server': no such setting"));
  CHECK(read("SOCKS_USER=a\nSOCKS_USER=b") == "SOCKS_USER=a\n2: SOCKS_USER: given twice");
  CHECK(read("SOCKS_USER=a\0b"s) == "1: there is a zero byte in the line");
  CHECK(read("SOCKS_SERVER=a,socks4://") == "1: SOCKS_SERVER: 'socks4://': the host is missing");
  CHECK(read("SOCKS_DEBUG=4") == "1: SOCKS_DEBUG: '4': not a number from 0 to 3");
  CHECK(read("SOCKSIFY_DNS=") == "1: SOCKSIFY_DNS: '': it is empty");
  CHECK(read("SOCKSIFY_DNS=no") == "1: SOCKSIFY_DNS: 'no': not auto, local or remote");
  CHECK(read("SOCKSIFY_BIND=on") == "1: SOCKSIFY_BIND: 'on': not auto, any or off");
  CHECK(read("SOCKSIFY_TIMEOUT=0") == "1: SOCKSIFY_TIMEOUT: '0': not a number of seconds from 1 to 86400");
  CHECK(read("SOCKS_LOGOUTPUT=log") == "1: SOCKS_LOGOUTPUT: 'log': neither stderr nor an absolute path");
  CHECK(read("SOCKS_USER=" + std::string(256, 'x')).ends_with("too long"));
}

TEST_CASE("a list of servers by its name") {
  CHECK(error_in("-s", "a,b:1,unix:/x").empty());
  CHECK(error_in("-s", "a,b:x") == "-s: 'b:x': the port has to be a number from 1 to 65535");
  CHECK(error_in("-s", "") == "-s: '': the host is missing");
}
