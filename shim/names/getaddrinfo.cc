// SPDX-License-Identifier: MIT
// getaddrinfo(). Every list is made by the C library, of addresses in figures, because its freeaddrinfo() is to free
// it: glibc's frees one member after the other, wherever they come from, and the canonical name by free().
#include "base/fd.h"
#include "config/config.h"
#include "config/route.h"
#include "kernel/real.h"
#include "names/resolve.h"
#include <arpa/inet.h>
#include <cstring>
#include <utility>

namespace socksify::resolve {
namespace {

// Not known here, or not to be learned here now: behind a firewall, servers refuse to answer or cannot be reached.
bool is_unknown(int error) {
  return error == EAI_NONAME || error == EAI_NODATA || error == EAI_AGAIN || error == EAI_FAIL;
}

// A null pointer means these, says getaddrinfo(3).
addrinfo without_servers(const addrinfo* hints) {
  addrinfo plain{};
  plain.ai_flags = hints ? hints->ai_flags : AI_V4MAPPED;
  plain.ai_family = hints ? hints->ai_family : AF_UNSPEC;
  plain.ai_socktype = hints ? hints->ai_socktype : 0;
  plain.ai_protocol = hints ? hints->ai_protocol : 0;
  // AI_ADDRCONFIG is about addresses that this host could connect from; it is the SOCKS server that connects.
  plain.ai_flags &= ~(AI_CANONNAME | AI_ADDRCONFIG | AI_IDN | AI_CANONIDN);
  plain.ai_flags |= AI_NUMERICHOST;
  return plain;
}

addrinfo** end_of(addrinfo** list) {
  while (*list)
    list = &(*list)->ai_next;
  return list;
}

int append(const Ip& ip, const char* service, const addrinfo& hints, addrinfo** list) {
  char text[INET6_ADDRSTRLEN];
  if (ip.is_ipv4())
    inet_ntop(AF_INET, ip.bytes + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, ip.bytes, text, sizeof text);
  return REAL(getaddrinfo)(text, service, &hints, end_of(list));
}

bool is_only_for_failing(const addrinfo& one) {
  const auto address = IpPort::from(one.ai_addr, one.ai_addrlen);
  return address && route(config(), *address) == Route::unreachable;
}

bool has_ipv4(const addrinfo* list) {
  for (; list; list = list->ai_next)
    if (const auto address = IpPort::from(list->ai_addr, list->ai_addrlen); address && address->ip.is_ipv4())
      return true;
  return false;
}

// SOCKS4 has no IPv6. The canonical name is the first member's.
void leave_out_ipv6(addrinfo** list) {
  if (!has_ipv4(*list))
    return;
  char* canonical_name = std::exchange((*list)->ai_canonname, nullptr);
  for (addrinfo** place = list; *place;) {
    if (!is_only_for_failing(**place)) {
      place = &(*place)->ai_next;
      continue;
    }
    addrinfo* failing = *place;
    *place = std::exchange(failing->ai_next, nullptr);
    freeaddrinfo(failing);
  }
  (*list)->ai_canonname = canonical_name;
}

int list_of(const Answer& answer, const char* service, const addrinfo* hints, addrinfo** result) {
  const addrinfo plain = without_servers(hints);
  addrinfo* list = nullptr;
  int error = EAI_NONAME;
  for (size_t i = 0; i < answer.count; ++i)
    if (const int failed = append(answer.ips[i], service, plain, &list))
      error = failed;
  if (!list)
    return error == EAI_ADDRFAMILY ? EAI_NODATA : error; // as of a name that has only addresses of the other family
  if (hints && (hints->ai_flags & AI_CANONNAME) && !(list->ai_canonname = strdup(answer.name.c_str()))) {
    freeaddrinfo(list);
    return EAI_MEMORY;
  }
  leave_out_ipv6(&list);
  *result = list;
  return 0;
}

int only_in_figures(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  addrinfo plain = without_servers(hints);
  plain.ai_flags |= hints ? hints->ai_flags & (AI_CANONNAME | AI_ADDRCONFIG) : AI_ADDRCONFIG;
  return REAL(getaddrinfo)(node, service, &plain, result);
}

} // namespace

int addresses(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  const bool is_figures = hints && (hints->ai_flags & AI_NUMERICHOST);
  const NameQuery query = is_figures ? NameQuery{} : NameQuery::about(node);
  const bool asks = query.resolver == Resolver::libc_then_us;
  if (query.resolver == Resolver::nobody)
    return only_in_figures(node, service, hints, result);
  if (query.resolver == Resolver::libc_only) {
    const int error = REAL(getaddrinfo)(node, service, hints, result);
    if (error == 0)
      query.note(*result);
    return error;
  }
  const int before = errno;
  const int error = asks ? REAL(getaddrinfo)(node, service, hints, result) : EAI_AGAIN;
  if (error == 0) {
    query.note(*result);
    leave_out_ipv6(result);
  }
  if (error == 0 || !is_unknown(error))
    return error;
  const Answer known = answer(query, asks);
  const int listed = known ? list_of(known, service, hints, result) : known.is_unsure ? EAI_AGAIN : error;
  if (listed == 0)
    errno = before;
  return listed;
}

} // namespace socksify::resolve
