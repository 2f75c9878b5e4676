// SPDX-License-Identifier: MIT
#include "names/local_dns.h"
#include "base/fd.h"
#include "config/log.h"
#include "kernel/real.h"
#include "names/fake_ips.h"
#include <arpa/nameser.h>
#include <atomic>
#include <ctime>
#include <netdb.h>
#include <resolv.h>
#include <strings.h>

namespace socksify::local_dns {
namespace {

constexpr int64_t long_wait = 1000;    // milliseconds: no timeout of resolv.conf(5) is shorter
constexpr uint32_t memory_lasts = 600; // seconds
constinit std::atomic<uint32_t> silent_since{0};

int64_t milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

uint32_t seconds() { return static_cast<uint32_t>(time(nullptr)); }

bool is_recent(uint32_t when) { return when != 0 && seconds() - when < memory_lasts; }

// The configuration of the resolver, as it is now.
struct Resolver {
  struct __res_state state {};
  const bool is_ready = res_ninit(&state) == 0;

  Resolver() = default;
  ~Resolver() {
    if (is_ready)
      res_nclose(&state);
  }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
};

// Asks for the servers of the root, with a short limit. Any answer will do.
[[gnu::noinline]] bool do_answer() {
  Resolver resolver;
  if (!resolver.is_ready)
    return false;
  resolver.state.retrans = 1;
  resolver.state.retry = 1;
  unsigned char answer[NS_PACKETSZ];
  return REAL(res_nquery)(&resolver.state, ".", ns_c_in, ns_t_ns, answer, sizeof answer) >= 0 ||
         resolver.state.res_h_errno != TRY_AGAIN;
}

bool is_below(std::string_view name, std::string_view domain) {
  if (domain.ends_with('.'))
    domain.remove_suffix(1);
  if (domain.empty() || name.size() <= domain.size())
    return false;
  const size_t start = name.size() - domain.size();
  return name[start - 1] == '.' && strncasecmp(name.data() + start, domain.data(), domain.size()) == 0;
}

} // namespace

bool is_silent() {
  const KeepErrno keep;
  if (is_recent(silent_since.load(std::memory_order_relaxed)))
    return true;
  const uint32_t shared = fake_ips::local_dns_silent_since();
  silent_since.store(shared, std::memory_order_relaxed);
  return is_recent(shared);
}

Watch::Watch() : m_start(milliseconds()) {}

void Watch::failed() const {
  const KeepErrno keep;
  if (milliseconds() - m_start < long_wait || do_answer())
    return;
  log(1, "the DNS servers of this host do not answer: for {} minutes names are left to the SOCKS server",
      memory_lasts / 60);
  const uint32_t now = seconds();
  silent_since.store(now, std::memory_order_relaxed);
  fake_ips::record_silent_local_dns(now);
}

bool is_in_charge(std::string_view name) {
  const KeepErrno keep;
  if (name.find('.') == name.npos)
    return true;
  const Resolver resolver;
  for (char* const* domain = resolver.state.dnsrch; resolver.is_ready && *domain; ++domain)
    if (is_below(name, *domain))
      return true;
  return false;
}

} // namespace socksify::local_dns
