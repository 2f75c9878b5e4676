// SPDX-License-Identifier: MIT
#include "names/resolve.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "config/no_proxy.h"
#include "config/route.h"
#include "names/fake_ips.h"
#include "names/hosts_file.h"
#include <arpa/inet.h>
#include <cstring>
#include <unistd.h>

namespace socksify::resolve {
namespace {

// "127.1" and "0x7f000001" are addresses, too.
bool is_address(const char* node) {
  in_addr ignored;
  return inet_aton(node, &ignored) != 0;
}

bool is_localhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

// With its domain or without.
bool is_own_name(std::string_view name) {
  char room[256]{};
  if (gethostname(room, sizeof room - 1) != 0)
    return false;
  const auto own = names::spelled(room);
  return own && (name == own->view() || name == split_at(own->view(), own->view().find('.')).before);
}

// RFC 6761, 6.3: "localhost" and what ends in it are this host, and never asked of a server. So is the own name, for
// which systems that do without /etc/hosts have a loopback address as well.
Answer of_this_host(const Name& name, bool is_own) {
  Answer answer{.name = name, .ips = {}};
  if (is_own)
    answer.add(Ip::from(INADDR_LOOPBACK));
  return answer;
}

} // namespace

NameQuery NameQuery::about(const char* node) {
  NameQuery query;
  const bool has_direct = config().active && !config().no_proxy.empty();
  if (!node || !(config().uses_fake_ips() || has_direct))
    return query;
  const auto name = names::spelled(node);
  query.is_recorded = name && has_direct;
  query.is_direct = query.is_recorded && is_direct_name(config(), name->view());
  if (!config().uses_fake_ips())
    return query;
  if (!name) {
    query.resolver = config().resolves_remotely() ? Resolver::nobody : Resolver::libc_only;
    return query;
  }
  query.name = *name;
  if (is_address(node) || query.is_direct)
    return query;
  query.resolver = config().resolves_remotely() ? Resolver::us_only : Resolver::libc_then_us;
  return query;
}

void NameQuery::note(const addrinfo* answers) const {
  for (; is_recorded && answers; answers = answers->ai_next)
    if (const auto found = IpPort::from(answers->ai_addr, answers->ai_addrlen))
      no_proxy::note(found->ip, is_direct);
}

void NameQuery::note(const hostent& answer) const {
  for (char** address = answer.h_addr_list; is_recorded && *address; ++address) {
    Ip ip;
    uint32_t network;
    std::memcpy(&network, *address, sizeof network);
    if (answer.h_length == sizeof ip.bytes)
      std::memcpy(ip.bytes, *address, sizeof ip.bytes);
    no_proxy::note(answer.h_length == sizeof network ? Ip::from(ntohl(network)) : ip, is_direct);
  }
}

Answer answer(const NameQuery& query, bool asked) {
  KeepErrno keep;
  const Name& name = query.name;
  const bool is_own = is_localhost(name.view()) || is_own_name(name.view());
  const Answer in_file = hosts_file::find(name);
  if (in_file || is_own)
    return in_file && !asked ? in_file : of_this_host(name, is_own && !in_file);
  if (in_file.is_unsure) // it is not to be told to a server, perhaps
    return in_file;
  Answer answer{.name = name, .ips = {}};
  const auto ip = names::fake_ip_for(name);
  answer.is_unsure = !ip;
  if (!ip)
    return answer;
  answer.add(Ip::from(*ip));
  log(3, FMT_COMPILE("{}: the SOCKS server's to resolve"), name.view());
  return answer;
}

Reverse name_of(const Ip& ip) {
  Reverse reverse;
  if (!config().uses_fake_ips())
    return reverse;
  if (config().is_fake_ip(ip))
    return {true, names::find(ip.ipv4())};
  if (!config().resolves_remotely())
    return reverse;
  return {true, hosts_file::find(ip)};
}

} // namespace socksify::resolve
