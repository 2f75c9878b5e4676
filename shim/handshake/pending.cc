// SPDX-License-Identifier: MIT
#include "handshake/pending.h"
#include "kernel/fork.h"
#include "kernel/mapping.h"
#include <algorithm>
#include <bit>
#include <sys/single_threaded.h>

namespace socksify {
namespace pending {
namespace {

// Slots come in chunks that are added when needed and never go: a page of eight, and then each time as many as there
// are.
constexpr int most_chunks = 19; // two million
constexpr int first_of(int chunk) { return chunk == 0 ? 0 : 4 << chunk; }
constexpr int capacity(int chunk) { return chunk == 0 ? 8 : 4 << chunk; }
int chunk_of(int slot) { return std::bit_width(static_cast<unsigned>(slot) / 8); }

constinit std::atomic<PendingConnect*> chunks[most_chunks]{};
constinit std::atomic<int64_t> earliest{INT64_MAX};

// The slots before this one are likely to be taken.
constinit std::atomic<int> first_free{0};

PendingConnect* chunk_at(int number) {
  PendingConnect* chunk = chunks[number].load(std::memory_order_acquire);
  if (chunk)
    return chunk;
  forks::start_tracking();
  // Most of the slots will be needed, and mapping their pages at once costs much less than faulting them in one by one.
  const size_t bytes = static_cast<size_t>(capacity(number)) * sizeof(PendingConnect);
  return publish_mapping(chunks[number], bytes, MAP_SHARED | MAP_POPULATE);
}

bool may_be_free(const PendingConnect& slot) {
  return slot.identity.load(std::memory_order_acquire) == 0 || slot.is_over;
}

// A slot that a fork has left behind is free when its time is over: by then every process has asked for the outcome, or
// has lost interest. Only its holder can tell.
bool is_free(const PendingConnect& slot) {
  return slot.identity.load(std::memory_order_relaxed) == 0 || (slot.is_over && slot.deadline.left() == 0);
}

bool take(PendingConnect& slot, uint64_t identity, const Exchange& exchange) {
  if (!may_be_free(slot) || !slot.lock.try_lock())
    return false;
  const bool mine = is_free(slot);
  if (mine) {
    slot.is_over = false;
    slot.events = exchange.handshake.events();
    slot.handshake = exchange.handshake;
    slot.deadline = exchange.deadline;
    slot.attempt = exchange.attempt;
    slot.forks.store(forks::count(), std::memory_order_relaxed);
    slot.identity.store(identity, std::memory_order_release);
  }
  slot.unlock();
  return mine;
}

// Takes the first free slot from this number on; -1 if there is none, or no memory.
int take_from(int first, uint64_t identity, const Exchange& exchange) {
  for (int chunk = chunk_of(first); chunk < most_chunks; ++chunk) {
    PendingConnect* slots = chunk_at(chunk);
    if (!slots)
      return -1;
    const int base = first_of(chunk);
    for (int i = std::max(0, first - base); i < capacity(chunk); ++i)
      if (take(slots[i], identity, exchange))
        return base + i;
  }
  return -1;
}

} // namespace

int begin(uint64_t identity, const Exchange& exchange) {
  int number = take_from(first_free.load(std::memory_order_relaxed), identity, exchange);
  if (number < 0)
    number = take_from(0, identity, exchange);
  if (number < 0)
    return -1;
  first_free.store(number + 1, std::memory_order_relaxed);
  note_deadline(at(number).next());
  count.fetch_add(1, std::memory_order_seq_cst);
  return number;
}

PendingConnect& at(int slot) {
  const int chunk = chunk_of(slot);
  return chunks[chunk].load(std::memory_order_acquire)[slot - first_of(chunk)];
}

void end(int slot) {
  PendingConnect& over = at(slot);
  // Without a fork since it began, no other process can ask.
  if (over.forks.load(std::memory_order_relaxed) == forks::count())
    over.identity.store(0, std::memory_order_release);
  over.unlock();
  if (slot < first_free.load(std::memory_order_relaxed))
    first_free.store(slot, std::memory_order_relaxed);
  count.fetch_sub(1, std::memory_order_relaxed);
}

Deadline next_look() {
  constexpr int nap = 50; // milliseconds
  const bool is_alone = __libc_single_threaded && !forks::may_share();
  return is_alone ? Deadline::never() : Deadline::after(nap);
}

Deadline next_deadline() { return Deadline::at(earliest.load(std::memory_order_relaxed)); }

void forget_deadlines() { earliest.store(INT64_MAX, std::memory_order_relaxed); }

void note_deadline(Deadline deadline) {
  int64_t known = earliest.load(std::memory_order_relaxed);
  while (deadline.when() < known && !earliest.compare_exchange_weak(known, deadline.when()))
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
