// SPDX-License-Identifier: MIT
#include "socks4d/options.h"
#include <array>
#include <fmt/format.h>
#include <getopt.h>

namespace socks4d {
namespace {

// An option's value, with the name for messages.
struct Argument {
  const char* option;
  std::string_view text;

  [[noreturn]] void reject(const std::string& reason) const {
    throw UsageError(fmt::format("--{} {}: {} (see --help)", option, text, reason));
  }
};

ListenAddress parse_listen(const Argument& argument) {
  const auto address = ListenAddress::from(argument.text);
  if (!address)
    argument.reject("expected an IPv4 address and a port such as 127.0.0.1:1080, or unix:/path");
  return *address;
}

uint32_t parse_bind_address(const Argument& argument) {
  const auto ip = parse_ipv4(argument.text);
  if (!ip)
    argument.reject("expected an IPv4 address such as 192.0.2.1");
  return *ip;
}

unsigned parse_count(const Argument& argument, unsigned most) {
  const auto count = parse_number(argument.text, 1, most);
  if (!count)
    argument.reject(fmt::format("expected a number from 1 to {}", most));
  return *count;
}

std::string parse_word(const Argument& argument) {
  if (argument.text.empty())
    throw UsageError(fmt::format("--{}: empty value (see --help)", argument.option));
  return std::string(argument.text);
}

void set_config(Options& options, const Argument& argument, bool may_be_missing) {
  options.config = parse_word(argument);
  options.may_lack_config = may_be_missing;
}

struct KnownOption {
  const char* name;
  bool takes_value;
  void (*apply)(Options& options, const Argument& argument);
};

using Action = Options::Action;

constexpr KnownOption known_options[] = {
    {"bind-address", true, [](Options& to, const Argument& given) { to.bind_address = parse_bind_address(given); }},
    {"check-config", false, [](Options& to, const Argument&) { to.action = Action::check_config; }},
    {"config", true, [](Options& to, const Argument& given) { set_config(to, given, false); }},
    {"config-if-any", true, [](Options& to, const Argument& given) { set_config(to, given, true); }},
    {"fast-open", false, [](Options& to, const Argument&) { to.fast_open = true; }},
    {"help", false, [](Options& to, const Argument&) { to.action = Action::help; }},
    {"ident-port", true,
     [](Options& to, const Argument& given) { to.ident_port = static_cast<uint16_t>(parse_count(given, 65535)); }},
    {"listen", true, [](Options& to, const Argument& given) { to.listen.push_back(parse_listen(given)); }},
    {"log", true, [](Options& to, const Argument& given) { to.log = parse_word(given); }},
    {"threads", true, [](Options& to, const Argument& given) { to.threads = parse_count(given, 1024); }},
    {"user", true, [](Options& to, const Argument& given) { to.user = parse_word(given); }},
    {"version", false, [](Options& to, const Argument&) { to.action = Action::version; }},
};

// getopt_long() returns this plus the index of a known option. It is above all letters: an optopt below it is an
// unknown short option.
constexpr int first_option = 256;

auto long_options() {
  std::array<option, std::size(known_options) + 1> result{};
  for (size_t i = 0; i < std::size(known_options); ++i)
    result[i] = {known_options[i].name, known_options[i].takes_value ? required_argument : no_argument, nullptr,
                 first_option + static_cast<int>(i)};
  return result;
}

UsageError bad_option(int result, const char* last) {
  if (result == ':')
    return UsageError(fmt::format("{}: missing value (see --help)", last));
  if (optopt != 0 && optopt < first_option)
    return UsageError(fmt::format("-{}: unknown option (see --help)", static_cast<char>(optopt)));
  return UsageError(
      fmt::format("{}: {} (see --help)", last, optopt == 0 ? "unknown option" : "this option takes no value"));
}

// `last` is the word that getopt_long() has just read.
void apply(Options& options, int result, const char* last) {
  if (result < first_option)
    throw bad_option(result, last);
  const KnownOption& known = known_options[result - first_option];
  known.apply(options, {known.name, optarg ? optarg : ""});
}

} // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  ::opterr = 0; // getopt's own messages do not begin with "socks4d: "
  const auto table = long_options();
  for (int result; (result = ::getopt_long(argc, argv, ":", table.data(), nullptr)) != -1;)
    apply(options, result, argv[optind - 1]);
  if (optind < argc && options.action == Action::serve)
    throw UsageError(fmt::format("{}: unexpected argument (see --help)", argv[optind]));
  if (options.action == Action::check_config && options.config.empty())
    throw UsageError("--check-config: needs --config FILE (see --help)");
  if (options.listen.empty())
    options.listen.push_back({{INADDR_LOOPBACK, 1080}, {}});
  return options;
}

std::string usage() {
  return "usage: socks4d [--listen ADDR:PORT|unix:PATH]... [--bind-address ADDR] [--config FILE]\n"
         "               [--log FILE|-] [--threads N] [--user NAME]\n"
         "       socks4d --check-config --config FILE\n"
         "A SOCKS4 and SOCKS4A server with CONNECT and BIND.\n\n"
         "  --listen ADDR:PORT   listen for clients here (127.0.0.1:1080); port 0: any free port\n"
         "  --listen unix:PATH   listen on a Unix socket\n"
         "  --bind-address ADDR  use this address towards application servers\n"
         "  --config FILE        rules and limits: socks4d.conf(5); SIGHUP reads it again\n"
         "  --config-if-any FILE the same, but the file may be missing at the start\n"
         "  --check-config       check the file and exit\n"
         "  --log FILE|-         log a line per session to a file or standard output (default: no log)\n"
         "  --threads N          number of event loops (default: one per core)\n"
         "  --user NAME          switch to this user once the sockets are open\n"
         "  --fast-open          accept requests in the first packet of a connection (TCP Fast Open)\n"
         "  --ident-port PORT    ask identd on client hosts at this port (113)\n"
         "  --help               print this text and exit\n"
         "  --version            print the version and exit\n\n"
         "Prints \"socks4d: listening on ADDR:PORT\" when ready. SIGTERM and SIGINT stop the server,\n"
         "SIGHUP reads the configuration again and reopens the log, SIGUSR1 prints counters.\n";
}

} // namespace socks4d
