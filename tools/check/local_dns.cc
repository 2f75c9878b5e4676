// SPDX-License-Identifier: MIT
#include "check/local_dns.h"
#include <arpa/nameser.h>
#include <array>
#include <netdb.h>
#include <resolv.h>

namespace socksify::check {

// Asks for the servers of the root, with a short limit. Any answer will do.
std::optional<int> limit_of_silent_dns() {
  struct __res_state state {};
  if (::res_ninit(&state) != 0)
    return std::nullopt;
  const int limit = state.retrans * state.retry * state.nscount;
  state.retrans = 1;
  state.retry = 1;
  std::array<unsigned char, NS_PACKETSZ> answer;
  const bool is_silent =
      ::res_nquery(&state, ".", ns_c_in, ns_t_ns, answer.data(), answer.size()) < 0 && state.res_h_errno == TRY_AGAIN;
  ::res_nclose(&state);
  return is_silent ? std::optional{limit} : std::nullopt;
}

} // namespace socksify::check
