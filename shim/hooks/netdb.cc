// SPDX-License-Identifier: MIT
// The functions that resolve names and addresses. A name that the C library does not know, or must not ask a server
// for, gets a fake IP.
#include "base/fd.h"
#include "config/config.h"
#include "kernel/mapping.h"
#include "kernel/real.h"
#include "names/fake_ips.h"
#include "names/hostent.h"
#include "names/local_dns.h"
#include "names/resolve.h"
#include <arpa/inet.h>
#include <csignal>
#include <cstring>

using namespace socksify;
using resolve::NameQuery;
using resolve::Resolver;

namespace {

// The static results of the calls without _r.
struct StaticResult {
  hostent entry;
  char buffer[1024];
};
struct StaticResults {
  StaticResult by_name, by_address;
};
constinit StaticResults results{};

bool is_unknown(int error) {
  return error == HOST_NOT_FOUND || error == TRY_AGAIN || error == NO_RECOVERY || error == NO_DATA;
}

// Who answers: the C library, the library itself, or first one and then the other.
struct Plan {
  NameQuery query;
  bool asks_libc = true;
  bool asks_us = false;

  Plan(const char* name, int family) {
    if (family != AF_INET && family != AF_INET6)
      return; // libc reports the error
    query = NameQuery::about(name);
    Ip ignored;
    const bool is_ipv6 = query.resolver == Resolver::nobody && inet_pton(AF_INET6, name, ignored.bytes) == 1;
    asks_us = query.resolver != Resolver::libc_only && !is_ipv6;
    asks_libc = query.resolver == Resolver::libc_then_us || !asks_us;
  }

  // Our own answer; `error` is libc's. 0 or an h_errno.
  int answer(int family, hostent* entry, char* buffer, size_t size, int error) const {
    if (query.resolver == Resolver::nobody)
      return HOST_NOT_FOUND;
    const auto libc = !asks_libc                ? resolve::LibcAnswer::not_asked
                      : error == HOST_NOT_FOUND ? resolve::LibcAnswer::nonexistent
                                                : resolve::LibcAnswer::unknown;
    const LookupResult known = resolve::without_libc(query, libc);
    if (!known)
      return known.is_unsure ? TRY_AGAIN : error;
    return fill_hostent(known, family, entry, buffer, size);
  }
};

hostent* returned(int error, hostent* entry) {
  if (!error)
    return entry;
  h_errno = error;
  return nullptr;
}

template <typename Real> hostent* host_by_name(const char* name, int family, Real real) {
  const int before = errno;
  const Plan plan{name, family};
  const local_dns::Watch watch;
  hostent* found = plan.asks_libc ? real() : returned(TRY_AGAIN, nullptr);
  if (found)
    plan.query.record(*found);
  else if (plan.asks_libc && plan.asks_us && h_errno == TRY_AGAIN)
    watch.failed();
  if (found || !plan.asks_us || !is_unknown(h_errno))
    return found;
  errno = before;
  auto& [entry, buffer] = results.by_name;
  return returned(plan.answer(family, &entry, buffer, sizeof buffer, h_errno), &entry);
}

// The calls with _r return an errno. An unknown name is not an error to them.
int returned_r(int error, hostent* entry, hostent** result, int* error_place) {
  *result = error ? nullptr : entry;
  if (error)
    *error_place = error;
  return error == NETDB_INTERNAL ? errno : 0;
}

template <typename Real>
int host_by_name_r(const char* name, int family, hostent* entry, char* buffer, size_t size, hostent** result,
                   int* error_place, Real real) {
  const int before = errno;
  const Plan plan{name, family};
  *error_place = TRY_AGAIN;
  *result = nullptr;
  const local_dns::Watch watch;
  const int status = plan.asks_libc ? real() : 0;
  if (*result)
    plan.query.record(**result);
  else if (plan.asks_libc && plan.asks_us && *error_place == TRY_AGAIN)
    watch.failed();
  if (*result || !plan.asks_us || !is_unknown(*error_place))
    return status;
  errno = before;
  return returned_r(plan.answer(family, entry, buffer, size, *error_place), entry, result, error_place);
}

std::optional<Ip> ip_of(const void* address, socklen_t length, int family) {
  if (address && family == AF_INET && length == sizeof(uint32_t)) {
    uint32_t network;
    std::memcpy(&network, address, sizeof network);
    return Ip::from(ntohl(network));
  }
  Ip ip;
  if (!address || family != AF_INET6 || length != sizeof ip.bytes)
    return std::nullopt;
  std::memcpy(ip.bytes, address, sizeof ip.bytes);
  return ip;
}

// 0 or an h_errno. Like glibc, returns an entry of the requested family, so that a v4-mapped address stays one.
int fill_hostent(const resolve::Reverse& reverse, const Ip& ip, int family, hostent* entry, char* buffer, size_t size) {
  if (!reverse.name)
    return HOST_NOT_FOUND;
  LookupResult answer{.name = *reverse.name, .ips = {}};
  answer.add(ip);
  return fill_hostent(answer, ip.is_ipv4() ? AF_INET : family, entry, buffer, size);
}

// gai_error() reads the result from `__return`.
void resolve_now(gaicb& one) {
  one.ar_result = nullptr;
  one.__return = resolve::addresses(one.ar_name, one.ar_service, one.ar_request, &one.ar_result);
}

// Copies a name as getnameinfo() does. 0 or EAI_*.
int copy_name(const Name& name, char* host, socklen_t size) {
  if (name.view().size() >= size)
    return EAI_OVERFLOW;
  std::memcpy(host, name.c_str(), name.view().size() + 1);
  return 0;
}

} // namespace

HOOK int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  return resolve::addresses(node, service, hints, result);
}

// Our own requests are answered at once. The C library gets the rest, and notifies the program when all are done.
HOOK int getaddrinfo_a(int mode, gaicb** list, int count, sigevent* event) {
  if (!config().uses_fake_ips() || !is_active() || count <= 0)
    return REAL(getaddrinfo_a)(mode, list, count, event);
  Scratch memory{nullptr, static_cast<size_t>(count) * sizeof *list};
  const OnLeaving leaving{[](void* left) { static_cast<Scratch*>(left)->release(); }, &memory};
  auto** const others = static_cast<gaicb**>(memory.get());
  if (!others)
    return EAI_MEMORY;
  for (int i = 0; i < count; ++i) {
    if (list[i] && NameQuery::about(list[i]->ar_name).resolver != Resolver::libc_only)
      resolve_now(*list[i]);
    else
      others[i] = list[i];
  }
  return REAL(getaddrinfo_a)(mode, others, count, event);
}

HOOK hostent* gethostbyname(const char* name) {
  return host_by_name(name, AF_INET, [&] { return REAL(gethostbyname)(name); });
}

HOOK hostent* gethostbyname2(const char* name, int family) {
  return host_by_name(name, family, [&] { return REAL(gethostbyname2)(name, family); });
}

HOOK int gethostbyname_r(const char* name, hostent* entry, char* buffer, size_t size, hostent** result, int* error) {
  return host_by_name_r(name, AF_INET, entry, buffer, size, result, error,
                        [&] { return REAL(gethostbyname_r)(name, entry, buffer, size, result, error); });
}

HOOK int gethostbyname2_r(const char* name, int family, hostent* entry, char* buffer, size_t size, hostent** result,
                          int* error) {
  return host_by_name_r(name, family, entry, buffer, size, result, error,
                        [&] { return REAL(gethostbyname2_r)(name, family, entry, buffer, size, result, error); });
}

HOOK hostent* gethostbyaddr(const void* address, socklen_t length, int family) {
  const auto ip = ip_of(address, length, family);
  const auto reverse = ip ? resolve::name_of(*ip) : resolve::Reverse{};
  if (!reverse.is_ours)
    return REAL(gethostbyaddr)(address, length, family);
  auto& [entry, buffer] = results.by_address;
  return returned(fill_hostent(reverse, *ip, family, &entry, buffer, sizeof buffer), &entry);
}

HOOK int gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* entry, char* buffer, size_t size,
                         hostent** result, int* error) {
  const auto ip = ip_of(address, length, family);
  const auto reverse = ip ? resolve::name_of(*ip) : resolve::Reverse{};
  if (!reverse.is_ours)
    return REAL(gethostbyaddr_r)(address, length, family, entry, buffer, size, result, error);
  return returned_r(fill_hostent(reverse, *ip, family, entry, buffer, size), entry, result, error);
}

HOOK int getnameinfo(const sockaddr* address, socklen_t length, char* host, socklen_t host_size, char* service,
                     socklen_t service_size, int flags) {
  const bool wants_name = host && host_size && !(flags & NI_NUMERICHOST);
  const auto asked = wants_name ? IpPort::from(address, length) : std::nullopt;
  const auto reverse = asked ? resolve::name_of(asked->ip) : resolve::Reverse{};
  if (!reverse.is_ours)
    return REAL(getnameinfo)(address, length, host, host_size, service, service_size, flags);
  if (!reverse.name)
    return flags & NI_NAMEREQD
               ? EAI_NONAME
               : REAL(getnameinfo)(address, length, host, host_size, service, service_size, flags | NI_NUMERICHOST);
  if (const int error = copy_name(*reverse.name, host, host_size))
    return error;
  const bool is_done = !service || !service_size;
  return is_done ? 0 : REAL(getnameinfo)(address, length, nullptr, 0, service, service_size, flags & ~NI_NAMEREQD);
}
