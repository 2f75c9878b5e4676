// SPDX-License-Identifier: MIT
#include "socks4d/options.h"
#include <fmt/format.h>
#include <getopt.h>

namespace socksify {
namespace {

// Beyond all letters: a number below 256 in optopt is an unknown short option.
enum LongOption {
  bind_address = 256,
  check_config,
  config,
  config_if_any,
  fast_open,
  help,
  ident_port,
  listen,
  log,
  threads,
  user,
  version
};

constexpr option long_options[] = {{"bind-address", required_argument, nullptr, bind_address},
                                   {"check-config", no_argument, nullptr, check_config},
                                   {"config", required_argument, nullptr, config},
                                   {"config-if-any", required_argument, nullptr, config_if_any},
                                   {"fast-open", no_argument, nullptr, fast_open},
                                   {"help", no_argument, nullptr, help},
                                   {"ident-port", required_argument, nullptr, ident_port},
                                   {"listen", required_argument, nullptr, listen},
                                   {"log", required_argument, nullptr, log},
                                   {"threads", required_argument, nullptr, threads},
                                   {"user", required_argument, nullptr, user},
                                   {"version", no_argument, nullptr, version},
                                   {}};

ListenAddress parse_listen(std::string_view text) {
  if (const auto address = ListenAddress::from(text))
    return *address;
  throw UsageError(fmt::format(
      "--listen {}: not an IPv4 address and a port such as 127.0.0.1:1080, nor unix:/path (see --help)", text));
}

uint32_t parse_bind_address(std::string_view text) {
  if (const auto ip = parse_ipv4(text))
    return *ip;
  throw UsageError(fmt::format("--bind-address {}: not an IPv4 address such as 192.0.2.1 (see --help)", text));
}

unsigned parse_count(const char* name, std::string_view text, unsigned most) {
  if (const auto count = parse_number(text, 1, most))
    return *count;
  throw UsageError(fmt::format("--{} {}: not a number from 1 to {} (see --help)", name, text, most));
}

std::string parse_word(const char* name, std::string_view text) {
  if (!text.empty())
    return std::string(text);
  throw UsageError(fmt::format("--{}: the value is empty (see --help)", name));
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
  case check_config:
    options.action = Options::Action::check_config;
    return;
  case config:
    options.config = parse_word("config", optarg);
    options.may_lack_config = false;
    return;
  case config_if_any:
    options.config = parse_word("config-if-any", optarg);
    options.may_lack_config = true;
    return;
  case fast_open:
    options.fast_open = true;
    return;
  case help:
    options.action = Options::Action::help;
    return;
  case ident_port:
    options.ident_port = static_cast<uint16_t>(parse_count("ident-port", optarg, 65535));
    return;
  case listen:
    options.listen.push_back(parse_listen(optarg));
    return;
  case log:
    options.log = parse_word("log", optarg);
    return;
  case threads:
    options.threads = parse_count("threads", optarg, 1024);
    return;
  case user:
    options.user = parse_word("user", optarg);
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
  if (options.action == Options::Action::check_config && options.config.empty())
    throw UsageError("--check-config: no --config to check (see --help)");
  if (options.listen.empty())
    options.listen.push_back({{INADDR_LOOPBACK, 1080}, {}});
  return options;
}

std::string usage() {
  return "usage: socks4d [--listen ADDR:PORT|unix:PATH]... [--bind-address ADDR] [--config FILE]\n"
         "               [--log FILE|-] [--threads N] [--user NAME]\n"
         "       socks4d --check-config --config FILE\n"
         "A SOCKS4 and SOCKS4A server: CONNECT and BIND.\n\n"
         "  --listen ADDR:PORT   where clients connect to (127.0.0.1:1080); port 0: any free one\n"
         "  --listen unix:PATH   or by a Unix socket\n"
         "  --bind-address ADDR  the address that application servers see\n"
         "  --config FILE        rules and limits: socks4d.conf(5); read again upon SIGHUP\n"
         "  --config-if-any FILE the same, and none if there is no such file at the start\n"
         "  --check-config       only say whether that file is right\n"
         "  --log FILE|-         a line for each session; -: the standard output (default: none)\n"
         "  --threads N          event loops (default: as many as cores)\n"
         "  --user NAME          become this user, when the sockets are open\n"
         "  --fast-open          take requests in the first packet of a connection (TCP Fast Open)\n"
         "  --ident-port PORT    where clients' hosts answer IDENT requests (113)\n"
         "  --help               this text\n"
         "  --version            the version\n\n"
         "When ready it prints \"socks4d: listening on ADDR:PORT\". SIGTERM or SIGINT ends it, SIGHUP reads the\n"
         "configuration and opens the log again, SIGUSR1 prints counters.\n";
}

} // namespace socksify
