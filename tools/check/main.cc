// SPDX-License-Identifier: MIT
// socksify-check --preload PATHS [--json] [-- COMMAND [ARG...]]: will COMMAND work with LD_PRELOAD=PATHS in this
// environment? Prints one line for each finding; exit status 0 if it will work, else 1.
// socksify-check [--json] --failed TEXT: reports in the same form what the launcher has found wrong.
#include "base/no_proxy_list.h"
#include "base/settings.h"
#include "check/local_dns.h"
#include "check/probe.h"
#include "check/program.h"
#include "check/report.h"
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

namespace socksify::check {
namespace {

struct Order {
  bool json = false, nothing = false;
  std::string preload, failed;
  Words command; // and its arguments
};

Order parse(int argc, char** argv) {
  Order order;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json")
      order.json = true;
    else if (word == "--nothing")
      order.nothing = true;
    else if (word == "--preload" || word == "--failed")
      (word == "--failed" ? order.failed : order.preload) = argv[i + 1 < argc ? ++i : i];
    else {
      order.command.assign(argv + i + (word == "--"), argv + argc);
      break;
    }
  }
  return order;
}

const char* look_up(const char* variable) { return std::getenv(variable); }

std::string userid_of(const Config& config) {
  if (!config.userid.view().empty())
    return config.userid.c_str();
  const passwd* const entry = ::getpwuid(::getuid());
  return entry ? entry->pw_name : "";
}

// NO_PROXY entries that can never match anything.
void check_no_proxy(Report& report) {
  const auto list = variable_for(*find_setting("NO_PROXY"), look_up);
  for (std::string_view rest = list.value; !rest.empty();)
    if (const auto entry = next_dead_entry(rest); !entry.empty())
      report.warn("settings", fmt::format("{}: '{}' matches nothing: {}", list.name, entry, why_dead(entry)));
}

// With `auto` the library asks the DNS servers of this host first.
void check_dns(Report& report, const Config& config) {
  const auto limit = config.dns == Dns::automatic ? limit_of_silent_dns() : std::nullopt;
  if (limit)
    report.warn("names", fmt::format("the DNS servers of this host do not answer: the first name costs up to {} s, and "
                                     "SOCKSIFY_DNS=remote avoids that",
                                     *limit));
}

// The servers, as the library understands the same environment. One that works is enough.
void check_servers(Report& report) {
  constexpr unsigned longest_limit = 15; // seconds: the server may wait for an identd that does not answer
  Config config;
  parse_config(look_up, config);
  check_dns(report, config);
  const CheckOptions options{config.dns == Dns::remote, config.bind != Bind::off, userid_of(config),
                             std::chrono::seconds(std::min(config.timeout, longest_limit))};
  std::vector<Report> reports(static_cast<size_t>(config.server_count));
  bool one_works = false;
  for (size_t i = 0; i < reports.size(); ++i) {
    check_server(reports[i], config.servers[i], options);
    one_works |= reports[i].works();
  }
  for (const auto& one : reports)
    report.add_all(one, one_works);
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
    check_no_proxy(report);
    check_servers(report);
  }
  fmt::print("{}", order.json ? report.as_json() : report.as_text());
  return report.works() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace
} // namespace socksify::check

int main(int argc, char** argv) try {
  return socksify::check::run(socksify::check::parse(argc, argv));
} catch (const std::exception& error) {
  fmt::print(stderr, "socksify: --check: {}\n", error.what());
  return 125;
}
