// SPDX-License-Identifier: MIT
#include "socks4d/policy/policy.h"

namespace socks4d {
namespace {

// Remote clients do not expect these addresses to reach inside the server's host.
bool is_special(const AccessRequest& request) {
  return request.destination.is_loopback() ||
         (request.command == socks4::Command::bind && request.destination.ip == INADDR_ANY);
}

// True if the network holds special addresses only, so the author of the rule meant them.
bool covers_special_only(const Network& network) {
  const bool is_in_loopback = network.prefix >= 8 && network.address.is_loopback();
  return is_in_loopback || (network.prefix == 32 && network.address.is_any());
}

} // namespace

bool Rule::matches(const AccessRequest& request) const {
  const uint16_t port = request.destination.port;
  return (!command || *command == request.command) && (!from || from->contains(Ip::from(request.client))) &&
         (!to || to->contains(Ip::from(request.destination.ip))) && port >= first_port && port <= last_port &&
         (!userid || *userid == request.userid);
}

bool Policy::allows(const AccessRequest& request) const {
  const bool needs_special_rule = !request.is_local_client && is_special(request);
  for (const Rule& rule : rules) {
    const bool may_decide = !rule.allows || !needs_special_rule || (rule.to && covers_special_only(*rule.to));
    if (may_decide && rule.matches(request))
      return rule.allows;
  }
  return allows_by_default && !needs_special_rule;
}

} // namespace socks4d
