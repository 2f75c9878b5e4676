// SPDX-License-Identifier: MIT
#include "names/resolve.h"
#include "base/fd.h"
#include "config/config.h"
#include "config/log.h"
#include "config/no_proxy.h"
#include "config/route.h"
#include "names/fake_ips.h"
#include "names/hosts_file.h"
#include "names/local_dns.h"
#include <arpa/inet.h>
#include <cstring>
#include <unistd.h>

namespace socksify::resolve {
namespace {

// "127.1" and "0x7f000001" are also addresses. Unlike inet_aton(), libc's look-ups allow nothing after an address.
bool is_address(const char* node) {
  in_addr ignored;
  return inet_aton(node, &ignored) != 0 && !std::strpbrk(node, " \t\n\v\f\r");
}

bool is_localhost(std::string_view name) { return name == "localhost" || name.ends_with(".localhost"); }

// With or without its domain.
bool is_own_name(std::string_view name) {
  char host[256]{};
  if (gethostname(host, sizeof host - 1) != 0)
    return false;
  const auto own = host_name::normalized(host);
  return own && (name == own->view() || name == split_at(own->view(), own->view().find('.')).before);
}

// RFC 6761, 6.3: "localhost" and names below it are this host; servers are never asked for them. The same goes for the
// host's own name, which also has a loopback address on systems without /etc/hosts.
LookupResult loopback(const Name& name) {
  LookupResult result{.name = name, .ips = {}};
  result.add(Ip::from(INADDR_LOOPBACK));
  return result;
}

LookupResult by_fake_ip(const Name& name) {
  LookupResult result{.name = name, .ips = {}};
  const auto ip = fake_ips::ip_for(name);
  result.is_unsure = !ip;
  if (ip) {
    result.add(Ip::from(*ip));
    log(3, "{}: left to the SOCKS server", name.view());
  }
  return result;
}

} // namespace

NameQuery NameQuery::about(const char* node) {
  NameQuery query;
  const bool has_direct = config().active && !config().no_proxy.empty();
  if (!node || !(config().uses_fake_ips() || has_direct) || !is_active())
    return query;
  const auto name = host_name::normalized(node);
  query.is_recorded = name && has_direct;
  query.is_direct = query.is_recorded && is_direct_name(config(), name->view());
  if (!config().uses_fake_ips() || is_address(node))
    return query;
  if (!name) {
    query.resolver = config().resolves_remotely() ? Resolver::nobody : Resolver::libc_only;
    return query;
  }
  query.name = *name;
  if (query.is_direct)
    return query;
  const bool asks_libc = !config().resolves_remotely() && !local_dns::is_silent();
  query.resolver = asks_libc ? Resolver::libc_then_us : Resolver::us_only;
  return query;
}

void NameQuery::record(const addrinfo* answers) const {
  for (; is_recorded && answers; answers = answers->ai_next)
    if (const auto found = IpPort::from(answers->ai_addr, answers->ai_addrlen))
      no_proxy::record(found->ip, is_direct);
}

void NameQuery::record(const hostent& answer) const {
  for (char** address = answer.h_addr_list; is_recorded && *address; ++address) {
    Ip ip;
    uint32_t network;
    std::memcpy(&network, *address, sizeof network);
    if (answer.h_length == sizeof ip.bytes)
      std::memcpy(ip.bytes, *address, sizeof ip.bytes);
    no_proxy::record(answer.h_length == sizeof network ? Ip::from(ntohl(network)) : ip, is_direct);
  }
}

LookupResult without_libc(const NameQuery& query, LibcAnswer libc) {
  KeepErrno keep;
  const LookupResult in_file = hosts_file::look_up(query.name);
  if (in_file) // libc reads the file, too: it did not know the name in the family that the program wants
    return libc != LibcAnswer::not_asked ? LookupResult{.name = query.name, .ips = {}} : in_file;
  if (is_localhost(query.name.view()) || is_own_name(query.name.view()))
    return loopback(query.name);
  if (in_file.is_unsure) // it may be in the file, and then no server may see it
    return in_file;
  if (libc == LibcAnswer::nonexistent && local_dns::is_in_charge(query.name.view()))
    return {.name = query.name, .ips = {}};
  return by_fake_ip(query.name);
}

Reverse name_of(const Ip& ip) {
  Reverse reverse;
  if (!config().uses_fake_ips() || !is_active())
    return reverse;
  if (config().is_fake_ip(ip))
    return {true, fake_ips::name_of(ip.ipv4())};
  if (!config().resolves_remotely())
    return reverse;
  return {true, hosts_file::name_of(ip)};
}

} // namespace socksify::resolve
