// SPDX-License-Identifier: MIT
// socks4d.conf: a parsed policy that is written out parses to the same policy, and an error is one line that says
// where.
#include "fuzz.h"
#include "socks4d/policy/policy_file.h"
#include <fmt/format.h>

using namespace socks4d;

namespace {

std::string text_of(const Network& network) {
  const uint32_t ip = network.address.ipv4();
  return fmt::format("{}.{}.{}.{}/{}", ip >> 24, ip >> 16 & 0xff, ip >> 8 & 0xff, ip & 0xff, network.prefix);
}

std::string text_of(const Rule& rule) {
  std::string text = rule.allows ? "allow" : "deny";
  if (rule.command)
    text += *rule.command == socks4::Command::connect ? " command connect" : " command bind";
  if (rule.from)
    text += " from " + text_of(*rule.from);
  if (rule.to)
    text += " to " + text_of(*rule.to);
  text += fmt::format(" port {}-{}", rule.first_port, rule.last_port);
  if (rule.userid)
    text += " user " + *rule.userid;
  return text + "\n";
}

std::string text_of(const Policy& policy) {
  std::string text =
      fmt::format("request-timeout {}\nconnect-timeout {}\nbind-timeout {}\nident-timeout {}\nident {}\ndefault {}\n",
                  policy.request_timeout.count(), policy.connect_timeout.count(), policy.bind_timeout.count(),
                  policy.ident_timeout.count(), policy.requires_ident ? "require" : "off",
                  policy.allows_by_default ? "allow" : "deny");
  if (policy.max_clients)
    text += fmt::format("max-clients {}\n", policy.max_clients);
  for (const Rule& rule : policy.rules)
    text += text_of(rule);
  return text;
}

// A request made from a rule matches it, and both policies give the same answer.
void check_answers(const Policy& one, const Policy& other) {
  for (const Rule& rule : one.rules)
    for (const uint16_t port : {rule.first_port, rule.last_port}) {
      AccessRequest request{.command = rule.command.value_or(socks4::Command::connect),
                            .client = rule.from ? rule.from->address.ipv4() : 0,
                            .is_local_client = port % 2 == 0,
                            .destination = {rule.to ? rule.to->address.ipv4() : 0x08080808, port},
                            .userid = rule.userid ? std::string_view(*rule.userid) : ""};
      HOLDS(rule.matches(request));
      HOLDS(one.allows(request) == other.allows(request));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Policy policy = parse_policy(text, "file");
    const std::string written = text_of(policy);
    const Policy again = parse_policy(written, "again");
    HOLDS(text_of(again) == written);
    check_answers(policy, again);
  } catch (const ConfigError& error) {
    const std::string_view what = error.what();
    HOLDS(what.starts_with("file:") && what.find_first_of("\r\n") == what.npos);
  }
  return 0;
}
