// SPDX-License-Identifier: MIT
#include "options.h"
#include <fmt/format.h>
#include <getopt.h>

namespace socksify {
namespace {

// Beyond all letters: a number below 256 in optopt is an unknown short option.
enum LongOption { bind_address = 256, help, listen, version };

constexpr option long_options[] = {{"bind-address", required_argument, nullptr, bind_address},
                                   {"help", no_argument, nullptr, help},
                                   {"listen", required_argument, nullptr, listen},
                                   {"version", no_argument, nullptr, version},
                                   {}};

Endpoint parse_listen(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon != text.npos) {
    const auto ip = parse_ipv4(text.substr(0, colon));
    const auto port = parse_number(text.substr(colon + 1), 0, 65535);
    if (ip && port)
      return {*ip, static_cast<uint16_t>(*port)};
  }
  throw UsageError(
      fmt::format("--listen {}: not an IPv4 address and a port such as 127.0.0.1:1080 (see --help)", text));
}

uint32_t parse_bind_address(std::string_view text) {
  if (const auto ip = parse_ipv4(text))
    return *ip;
  throw UsageError(fmt::format("--bind-address {}: not an IPv4 address such as 192.0.2.1 (see --help)", text));
}

UsageError bad_option(const char* last) {
  if (optopt == 0)
    return UsageError(fmt::format("{}: unknown option (see --help)", last));
  if (optopt < bind_address)
    return UsageError(fmt::format("-{}: unknown option (see --help)", static_cast<char>(optopt)));
  return UsageError(fmt::format("{}: this option takes no value (see --help)", last));
}

void apply(Options& options, int letter, const char* last) {
  switch (letter) {
  case bind_address:
    options.bind_address = parse_bind_address(optarg);
    return;
  case help:
    options.action = Options::Action::help;
    return;
  case listen:
    options.listen = parse_listen(optarg);
    return;
  case version:
    options.action = Options::Action::version;
    return;
  case ':':
    throw UsageError(fmt::format("{}: a value is missing (see --help)", last));
  default:
    throw bad_option(last);
  }
}

} // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  ::opterr = 0; // getopt's own messages do not begin with our name
  for (int letter; (letter = ::getopt_long(argc, argv, ":", long_options, nullptr)) != -1;)
    apply(options, letter, argv[optind - 1]);
  if (optind < argc && options.action == Options::Action::serve)
    throw UsageError(fmt::format("{}: surplus argument (see --help)", argv[optind]));
  return options;
}

std::string usage() {
  return "usage: socks4d [--listen ADDR:PORT] [--bind-address ADDR]\n"
         "A SOCKS4 server: CONNECT and BIND.\n\n"
         "  --listen ADDR:PORT   where clients connect to (127.0.0.1:1080); port 0: any free one\n"
         "  --bind-address ADDR  the address that application servers see\n"
         "  --help               this text\n"
         "  --version            the version\n\n"
         "When ready it prints \"socks4d: listening on ADDR:PORT\". SIGTERM or SIGINT ends it.\n";
}

} // namespace socksify
