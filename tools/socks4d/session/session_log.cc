// SPDX-License-Identifier: MIT
// A session's line in the access log, and its share of the counters.
#include "socks4d/server.h"
#include "socks4d/session/session.h"
#include <fmt/format.h>

namespace socks4d {

void Session::record() {
  Shared& shared = m_server.shared();
  const uint64_t up = m_relay ? m_relay->bytes_up() : 0, down = m_relay ? m_relay->bytes_down() : 0;
  shared.counters().bytes_up += up;
  shared.counters().bytes_down += down;
  if (!shared.access_log().is_enabled())
    return;
  try {
    shared.access_log().write(log_line(up, down));
  } catch (const std::exception&) { // out of memory
  }
}

// Everything that the client sent is quoted.
std::string Session::log_line(uint64_t up, uint64_t down) const {
  const std::chrono::duration<double> lasted = Loop::Clock::now() - m_began;
  const auto client = m_origin == unix_peer ? std::string("unix") : std::string(to_text(m_origin).view());
  std::string line = fmt::format("time={} client={}", timestamp(), client);
  if (m_has_request)
    line += fmt::format(" user={} command={} destination={}", quoted(m_request.userid),
                        m_request.command == socks4::Command::connect ? "connect" : "bind",
                        to_text(m_request.destination).view());
  if (m_has_request && !m_request.host.empty())
    line += fmt::format(" name={}", quoted(m_request.host));
  const bool was_answered = m_relay || m_refusal;
  line += fmt::format(" result={}", was_answered ? name_of(m_refusal.value_or(socks4::Code::granted)) : "none");
  if (!m_relay)
    line += fmt::format(" why={}", quoted(m_reason));
  return line + fmt::format(" up={} down={} seconds={:.3f}\n", up, down, lasted.count());
}

} // namespace socks4d
