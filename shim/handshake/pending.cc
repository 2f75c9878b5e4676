// SPDX-License-Identifier: MIT
#include "handshake/pending.h"
#include "kernel/fork.h"
#include "kernel/mapping.h"
#include "sockets/unfinished.h"
#include <algorithm>
#include <bit>
#include <sys/single_threaded.h>

namespace socksify {
namespace pending {
namespace {

// Slots come in chunks that are added when needed and never go away: a page of eight slots, then chunks that double the
// number of slots each time.
constexpr int most_chunks = 19; // two million slots
constexpr int first_of(int chunk) { return chunk == 0 ? 0 : 4 << chunk; }
constexpr int capacity(int chunk) { return chunk == 0 ? 8 : 4 << chunk; }
int chunk_of(int slot) { return std::bit_width(static_cast<unsigned>(slot) / 8); }

struct Slots {
  std::atomic<PendingConnect*> chunks[most_chunks]{};
  std::atomic<int> first_free{0}; // the slots before this one are probably taken
  std::atomic<int64_t> earliest_deadline{INT64_MAX};
};
constinit Slots slots;

PendingConnect* chunk_at(int number) {
  if (PendingConnect* chunk = slots.chunks[number].load(std::memory_order_acquire))
    return chunk;
  forks::start_tracking();
  // Most of the slots will be needed, and mapping their pages at once costs much less than faulting them in one by one.
  const size_t bytes = static_cast<size_t>(capacity(number)) * sizeof(PendingConnect);
  return publish_mapping(slots.chunks[number], bytes, MAP_SHARED | MAP_POPULATE);
}

bool may_be_free(const PendingConnect& slot) {
  return slot.identity.load(std::memory_order_acquire) == 0 || slot.is_over;
}

// A slot that processes share stays in use after the end, so that each of them learns the result. After its
// deadline they all have learned it or never will. Only the holder may ask.
bool is_free(const PendingConnect& slot) {
  return slot.identity.load(std::memory_order_relaxed) == 0 || (slot.is_over && slot.deadline.left() == 0);
}

void fill(PendingConnect& slot, uint64_t identity, const Exchange& exchange) {
  slot.is_over = false;
  slot.events = exchange.handshake.events();
  slot.handshake = exchange.handshake;
  slot.deadline = exchange.deadline;
  slot.attempt = exchange.attempt;
  slot.publish_limit();
  slot.forks.store(forks::count(), std::memory_order_relaxed);
  slot.identity.store(identity, std::memory_order_release);
}

bool claim(PendingConnect& slot, uint64_t identity, const Exchange& exchange) {
  if (!may_be_free(slot) || !slot.lock.try_lock())
    return false;
  const bool mine = is_free(slot);
  if (mine)
    fill(slot, identity, exchange);
  slot.unlock();
  return mine;
}

// Claims the first free slot from this number on; -1 if there is none, or no memory.
int claim_from(int first, uint64_t identity, const Exchange& exchange) {
  for (int chunk = chunk_of(first); chunk < most_chunks; ++chunk) {
    PendingConnect* all = chunk_at(chunk);
    if (!all)
      return -1;
    const int base = first_of(chunk);
    for (int i = std::max(0, first - base); i < capacity(chunk); ++i)
      if (claim(all[i], identity, exchange))
        return base + i;
  }
  return -1;
}

} // namespace

int begin(uint64_t identity, const Exchange& exchange) {
  int number = claim_from(slots.first_free.load(std::memory_order_relaxed), identity, exchange);
  if (number < 0)
    number = claim_from(0, identity, exchange);
  if (number < 0)
    return -1;
  slots.first_free.store(number + 1, std::memory_order_relaxed);
  add_deadline(at(number).next());
  unfinished.connects.fetch_add(1, std::memory_order_seq_cst);
  return number;
}

PendingConnect& at(int slot) {
  const int chunk = chunk_of(slot);
  return slots.chunks[chunk].load(std::memory_order_acquire)[slot - first_of(chunk)];
}

void end(int slot) {
  PendingConnect& over = at(slot);
  // Without a fork since it started, no other process can ask for the result.
  if (over.forks.load(std::memory_order_relaxed) == forks::count())
    over.identity.store(0, std::memory_order_release);
  over.unlock();
  if (slot < slots.first_free.load(std::memory_order_relaxed))
    slots.first_free.store(slot, std::memory_order_relaxed);
  unfinished.connects.fetch_sub(1, std::memory_order_relaxed);
}

Deadline next_look() {
  constexpr int nap = 50; // milliseconds
  const bool is_alone = __libc_single_threaded && !forks::may_share();
  return is_alone ? Deadline::never() : Deadline::after(nap);
}

Deadline next_deadline() { return Deadline::at(slots.earliest_deadline.load(std::memory_order_relaxed)); }

void clear_deadlines() { slots.earliest_deadline.store(INT64_MAX, std::memory_order_relaxed); }

void add_deadline(Deadline deadline) {
  int64_t known = slots.earliest_deadline.load(std::memory_order_relaxed);
  while (deadline.when() < known && !slots.earliest_deadline.compare_exchange_weak(known, deadline.when()))
    ;
}

} // namespace pending

bool PendingConnect::try_lock(uint64_t socket) {
  if (!lock.try_lock())
    return false;
  if (identity.load(std::memory_order_acquire) == socket)
    return true;
  unlock();
  return false;
}

} // namespace socksify
