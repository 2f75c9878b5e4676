// SPDX-License-Identifier: MIT
// getaddrinfo(). The C library makes every list, from numeric addresses, because its freeaddrinfo() has to free it.
// glibc's frees each member by itself, so lists can be joined and taken apart, and the canonical name with free().
#include "base/fd.h"
#include "config/config.h"
#include "config/route.h"
#include "kernel/real.h"
#include "names/local_dns.h"
#include "names/resolve.h"
#include <arpa/inet.h>
#include <cstring>
#include <utility>

namespace socksify::resolve {
namespace {

// The name is not known here, or not available now: behind a firewall, DNS servers refuse or cannot be reached.
bool is_unknown(int error) {
  return error == EAI_NONAME || error == EAI_NODATA || error == EAI_AGAIN || error == EAI_FAIL;
}

// The program's hints, for a numeric address. The defaults are those of getaddrinfo(3) for a null pointer.
addrinfo numeric_hints(const addrinfo* hints) {
  addrinfo plain{};
  plain.ai_flags = hints ? hints->ai_flags : AI_V4MAPPED;
  plain.ai_family = hints ? hints->ai_family : AF_UNSPEC;
  plain.ai_socktype = hints ? hints->ai_socktype : 0;
  plain.ai_protocol = hints ? hints->ai_protocol : 0;
  // AI_ADDRCONFIG asks which addresses this host can connect from, but the SOCKS server connects.
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

bool is_unreachable(const addrinfo& one) {
  const auto address = IpPort::from(one.ai_addr, one.ai_addrlen);
  return address && route(config(), *address) == Route::unreachable;
}

bool has_ipv4(const addrinfo* list) {
  for (; list; list = list->ai_next)
    if (const auto address = IpPort::from(list->ai_addr, list->ai_addrlen); address && address->ip.is_ipv4())
      return true;
  return false;
}

// SOCKS4 has no IPv6. The canonical name stays with the first member.
void remove_unreachable(addrinfo** list) {
  if (!has_ipv4(*list))
    return;
  char* canonical_name = std::exchange((*list)->ai_canonname, nullptr);
  for (addrinfo** place = list; *place;) {
    if (!is_unreachable(**place)) {
      place = &(*place)->ai_next;
      continue;
    }
    addrinfo* unreachable = *place;
    *place = std::exchange(unreachable->ai_next, nullptr);
    freeaddrinfo(unreachable);
  }
  (*list)->ai_canonname = canonical_name;
}

int make_list(const LookupResult& found, const char* service, const addrinfo* hints, addrinfo** result) {
  const addrinfo plain = numeric_hints(hints);
  addrinfo* list = nullptr;
  int error = EAI_NONAME;
  for (size_t i = 0; i < found.count; ++i)
    if (const int failed = append(found.ips[i], service, plain, &list))
      error = failed;
  if (!list)
    return error == EAI_ADDRFAMILY ? EAI_NODATA : error; // the name has addresses, but of the other family
  if (hints && (hints->ai_flags & AI_CANONNAME) && !(list->ai_canonname = strdup(found.name.c_str()))) {
    freeaddrinfo(list);
    return EAI_MEMORY;
  }
  remove_unreachable(&list);
  *result = list;
  return 0;
}

int numeric_only(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  addrinfo plain = numeric_hints(hints);
  plain.ai_flags |= hints ? hints->ai_flags & (AI_CANONNAME | AI_ADDRCONFIG) : AI_ADDRCONFIG;
  return REAL(getaddrinfo)(node, service, &plain, result);
}

int ask_libc(const NameQuery& query, const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  const local_dns::Watch watch;
  const int error = REAL(getaddrinfo)(node, service, hints, result);
  if (error == 0)
    query.record(*result);
  if (error == EAI_AGAIN && query.resolver == Resolver::libc_then_us)
    watch.failed();
  return error;
}

LibcAnswer libc_answer(const NameQuery& query, int error) {
  return query.resolver != Resolver::libc_then_us ? LibcAnswer::not_asked
         : error == EAI_NONAME                    ? LibcAnswer::nonexistent
                                                  : LibcAnswer::unknown;
}

int ask_us(const NameQuery& query, const char* service, const addrinfo* hints, addrinfo** result, int libc_error) {
  const LookupResult found = without_libc(query, libc_answer(query, libc_error));
  if (!found)
    return found.is_unsure ? EAI_AGAIN : libc_error;
  return make_list(found, service, hints, result);
}

} // namespace

int addresses(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  const bool is_numeric = hints && (hints->ai_flags & AI_NUMERICHOST);
  const NameQuery query = is_numeric ? NameQuery{} : NameQuery::about(node);
  if (query.resolver == Resolver::nobody)
    return numeric_only(node, service, hints, result);
  if (query.resolver == Resolver::libc_only)
    return ask_libc(query, node, service, hints, result);
  const int before = errno;
  int error = EAI_AGAIN;
  if (query.resolver == Resolver::libc_then_us)
    error = ask_libc(query, node, service, hints, result);
  if (error == 0)
    remove_unreachable(result);
  if (error == 0 || !is_unknown(error))
    return error;
  error = ask_us(query, service, hints, result, error);
  if (error == 0)
    errno = before;
  return error;
}

} // namespace socksify::resolve
