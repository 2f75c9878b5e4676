// SPDX-License-Identifier: MIT
// socksify-check --preload PATHS [--json] [-- COMMAND [ARG...]]: will COMMAND work with LD_PRELOAD=PATHS in this
// environment? One line per finding; exit status 0 if it will, else 1.
// socksify-check [--json] --failed TEXT: says so, in the same form; the launcher has found something wrong before.
#include "check/probe.h"
#include "check/program.h"
#include "check/report.h"
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <string_view>

namespace socksify {
namespace {

struct Order {
  bool json = false, nothing = false;
  std::string preload, failed, command;
};

Order parse(int argc, char** argv) {
  Order order;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* const next = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--json")
      order.json = true;
    else if (word == "--nothing")
      order.nothing = true;
    else if (word == "--preload" || word == "--failed")
      (word == "--failed" ? order.failed : order.preload) = argv[i + 1 < argc ? ++i : i];
    else {
      order.command = word == "--" ? next : word;
      break;
    }
  }
  return order;
}

std::string setting(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

// Of several, one that works is enough.
void check_servers(Report& report) {
  const auto dns = setting("SOCKSIFY_DNS");
  std::vector<Report> found;
  bool one_works = false;
  for (const auto& server : parse_servers(servers_in_environment())) {
    const bool names = dns == "remote" || (server.resolves_names && dns != "auto" && dns != "local");
    check_server(found.emplace_back(), server, {names, setting("SOCKSIFY_BIND") != "off"});
    one_works |= found.back().works();
  }
  for (const auto& one : found)
    report.take(one, one_works);
}

int run(const Order& order) {
  if (order.nothing)
    return EXIT_SUCCESS;
  Report report;
  if (!order.failed.empty()) {
    report.fail("settings", order.failed);
  } else {
    if (order.command.empty())
      check_library(report, order.preload);
    else
      check_program(report, order.command, order.preload);
    check_settings(report, order.preload);
    check_servers(report);
  }
  fmt::print("{}", order.json ? report.as_json() : report.as_text());
  return report.works() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace
} // namespace socksify

int main(int argc, char** argv) try {
  return socksify::run(socksify::parse(argc, argv));
} catch (const std::exception& error) {
  fmt::print(stderr, "socksify: --check: {}\n", error.what());
  return 125;
}
