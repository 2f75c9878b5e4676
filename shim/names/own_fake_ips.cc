// SPDX-License-Identifier: MIT
#include "names/own_fake_ips.h"
#include "kernel/fork.h"
#include <atomic>
#include <utility>

namespace socksify::own_fake_ips {
namespace {

struct Entry {
  uint32_t ip = 0;
  Name name;
};

constinit Entry entries[16];
constinit size_t oldest = 0;
constinit std::atomic<bool> is_busy{false};

// Nobody waits: who comes at a bad moment, a signal handler for one, goes without.
class Turn {
public:
  Turn() : m_mine(!is_busy.exchange(true, std::memory_order_acquire)) {}
  ~Turn() {
    if (m_mine)
      is_busy.store(false, std::memory_order_release);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  explicit operator bool() const { return m_mine; }

private:
  const bool m_mine;
};

Entry* entry_of(uint32_t ip) {
  for (Entry& entry : entries)
    if (entry.ip == ip)
      return &entry;
  return nullptr;
}

Entry& next_entry() { return entries[std::exchange(oldest, (oldest + 1) % std::size(entries))]; }

// An entry may be half written, and a name with another one's address would be another host.
void mend_after_fork(forks::Observer&) {
  if (!is_busy.load(std::memory_order_relaxed))
    return;
  for (Entry& entry : entries)
    entry.ip = 0;
  is_busy.store(false, std::memory_order_relaxed);
}

constinit forks::Observer observer{nullptr, mend_after_fork};

} // namespace

void remember(uint32_t ip, const Name& name) {
  forks::add_observer(observer);
  const Turn turn;
  if (!turn)
    return;
  Entry* known = entry_of(ip);
  (known ? *known : next_entry()) = {ip, name};
}

std::optional<Name> name_of(uint32_t ip) {
  const Turn turn;
  const Entry* known = turn ? entry_of(ip) : nullptr;
  return known ? std::optional{known->name} : std::nullopt;
}

} // namespace socksify::own_fake_ips
