// SPDX-License-Identifier: MIT
#include "base/settings.h"

namespace socksify {
namespace {

template <typename Value> struct Word {
  std::string_view name;
  Value value;
};

// Sets the value that goes by this name, else the last and strictest one. False if there is no such name.
template <typename Value, size_t Count>
bool choose(std::string_view text, const Word<Value> (&words)[Count], Value& value) {
  for (const auto& word : words)
    if (text == word.name) {
      value = word.value;
      return true;
    }
  value = words[Count - 1].value;
  return false;
}

const char* parse_list(std::string_view list, Config& config) {
  ServerHints hints;
  if (const auto mistake = parse_servers(list, config.servers, config.server_count, hints); mistake.reason)
    return mistake.reason;
  config.userid = hints.userid;
  // One SOCKS4A server among others is enough: the user wants names to be sent.
  if (hints.is_socks4 || hints.is_socks4a)
    config.dns = hints.is_socks4a ? Dns::remote : Dns::local;
  return nullptr;
}

const char* parse_userid(std::string_view text, Config& config) {
  if (text.size() > socks4::max_userid)
    return "too long";
  config.userid.clear();
  config.userid.add(text);
  return nullptr;
}

const char* parse_no_proxy(std::string_view list, Config& config) {
  config.no_proxy = list;
  return nullptr;
}

const char* parse_debug(std::string_view text, Config& config) {
  // Other socksifiers have levels above ours; they mean "all".
  const auto level = parse_number(text, 0, 999999999);
  config.debug = static_cast<int>(level.value_or(0));
  return level ? nullptr : "not a number from 0 to 3";
}

const char* parse_log_file(std::string_view text, Config& config) {
  if (text == "stderr")
    return nullptr;
  if (!text.starts_with('/'))
    return "neither stderr nor an absolute path";
  config.log_file = text;
  return nullptr;
}

const char* parse_address(std::string_view text, Config& config) {
  config.address = parse_ipv4(text).value_or(0);
  return config.address ? nullptr : "not an IPv4 address";
}

const char* parse_bind(std::string_view text, Config& config) {
  constexpr Word<Bind> words[] = {{"off", Bind::off}, {"any", Bind::any}, {"auto", Bind::automatic}};
  return choose(text, words, config.bind) ? nullptr : "not auto, any or off";
}

const char* parse_dns(std::string_view text, Config& config) {
  constexpr Word<Dns> words[] = {{"auto", Dns::automatic}, {"local", Dns::local}, {"remote", Dns::remote}};
  return choose(text, words, config.dns) ? nullptr : "not auto, local or remote";
}

const char* parse_fast_open(std::string_view text, Config& config) {
  constexpr Word<bool> words[] = {{"0", false}, {"1", true}};
  return choose(text, words, config.fast_open) ? nullptr : "not 1 or 0";
}

const char* parse_io_uring(std::string_view text, Config& config) {
  constexpr Word<bool> words[] = {{"allow", true}, {"deny", false}};
  return choose(text, words, config.io_uring) ? nullptr : "not deny or allow";
}

const char* parse_leak(std::string_view text, Config& config) {
  constexpr Word<Leak> words[] = {{"allow", Leak::allow}, {"warn", Leak::warn}, {"deny", Leak::deny}};
  return choose(text, words, config.leak) ? nullptr : "not allow, warn or deny";
}

const char* parse_loopback(std::string_view text, Config& config) {
  constexpr Word<bool> words[] = {{"direct", false}, {"proxy", true}};
  return choose(text, words, config.proxy_loopback) ? nullptr : "not proxy or direct";
}

const char* parse_session(std::string_view text, Config& config) {
  if (!text.starts_with('/'))
    return "not an absolute path";
  config.session = text;
  return nullptr;
}

const char* parse_timeout(std::string_view text, Config& config) {
  const auto seconds = parse_number(text, 1, 86400);
  config.timeout = seconds.value_or(config.timeout);
  return seconds ? nullptr : "not a number of seconds from 1 to 86400";
}

constexpr Setting table[] = {
    {"SOCKS_SERVER", "SOCKS4_SERVER", alias_first, parse_list, "the SOCKS server, as for -s"},
    {"SOCKS_USER", "SOCKS_USERNAME", may_be_empty, parse_userid, "the userid, as for -u"},
    {"NO_PROXY", "no_proxy", alias_first | may_be_empty, parse_no_proxy, "what to connect to directly, as for -n"},
    {"SOCKS_DEBUG", nullptr, ordinary, parse_debug, "how much to log, from 0 to 3, as for -d"},
    {"SOCKS_LOGOUTPUT", nullptr, ordinary, parse_log_file, "where to log: stderr or a file, as for -o"},
    {"SOCKSIFY_ADDRESS", nullptr, ordinary, parse_address, "the SOCKS server's address as others see it"},
    {"SOCKSIFY_BIND", nullptr, ordinary, parse_bind, "accept calls from outside: auto, any or off"},
    {"SOCKSIFY_DNS", nullptr, ordinary, parse_dns, "resolve names: auto, local or remote"},
    {"SOCKSIFY_FASTOPEN", nullptr, ordinary, parse_fast_open, "send the request in the SYN: 1 or 0"},
    {"SOCKSIFY_IO_URING", nullptr, ordinary, parse_io_uring, "io_uring, which goes past the proxy: deny or allow"},
    {"SOCKSIFY_LEAK", nullptr, ordinary, parse_leak, "datagrams that leave this host: allow, warn or deny"},
    {"SOCKSIFY_LOOPBACK", nullptr, ordinary, parse_loopback, "loopback addresses: direct or proxy"},
    {"SOCKSIFY_SESSION", nullptr, not_in_files, parse_session, "the file of the names that have fake IPs"},
    {"SOCKSIFY_TIMEOUT", nullptr, ordinary, parse_timeout, "seconds for one handshake"},
};
constexpr const Setting& server_setting = table[0];

std::string_view value_of(Lookup lookup, const char* variable) {
  const char* const value = variable ? lookup(variable) : nullptr;
  return value ? value : "";
}

// SOCKS_SERVER= or SOCKSIFY_SERVER=
bool names_no_server(Lookup lookup) {
  return lookup(server_setting.name) || (lookup(private_server) && value_of(lookup, private_server).empty());
}

void reject(Config& config, const Variable& variable, const char* reason) {
  if (config.mistake.variable)
    return;
  config.mistake.variable = variable.name;
  config.mistake.value.add(variable.value);
  config.mistake.reason = reason;
}

void parse(const Setting& setting, const Variable& variable, Config& config) {
  if (!variable.name)
    return;
  if (const char* const reason = setting.parse(variable.value, config))
    reject(config, variable, reason);
}

Variable first_of(std::span<const char* const> names, Lookup lookup) {
  for (const char* name : names)
    if (const auto value = value_of(lookup, name); !value.empty())
      return {name, value};
  return {};
}

// If nothing else names a server, a general proxy variable for another protocol is a mistake: whoever set it does not
// expect direct connections.
void reject_other_protocol(Lookup lookup, Config& config) {
  const auto other = names_no_server(lookup) ? Variable{} : first_of(general_proxies, lookup);
  config.active = other.name;
  if (other.name)
    reject(config, other, socks4_only);
}

// The login name, if the environment has it; else it is looked up when a request needs it.
void parse_login_name(Lookup lookup, Config& config) {
  constexpr const char* names[] = {"LOGNAME", "USER"};
  if (const auto login = first_of(names, lookup); login.name && config.userid.view().empty())
    if (const char* const reason = parse_userid(login.value, config))
      reject(config, login, reason);
}

} // namespace

constinit const std::span<const Setting> settings = table;

Variable variable_for(const Setting& setting, Lookup lookup) {
  const bool is_alias_first = setting.traits & alias_first;
  const char* const names[] = {is_alias_first ? setting.alias : setting.name,
                               is_alias_first ? setting.name : setting.alias};
  return first_of(names, lookup);
}

Variable find_servers(Lookup lookup) {
  if (const auto variable = variable_for(server_setting, lookup); variable.name || names_no_server(lookup))
    return variable;
  if (const auto servers = value_of(lookup, private_server); !servers.empty())
    return {private_server, servers};
  for (const char* name : general_proxies)
    if (const auto url = value_of(lookup, name); is_socks4_url(url))
      return {name, url};
  return {};
}

const Setting* find_setting(std::string_view name) {
  for (const auto& setting : settings)
    if (name == setting.name)
      return &setting;
  return nullptr;
}

void parse_config(Lookup lookup, Config& config) {
  const auto servers = find_servers(lookup);
  config.active = servers.name;
  if (!servers.name)
    reject_other_protocol(lookup, config);
  if (!config.active)
    return;
  for (const auto& setting : settings)
    parse(setting, &setting == &server_setting ? servers : variable_for(setting, lookup), config);
  parse_login_name(lookup, config);
}

} // namespace socksify
