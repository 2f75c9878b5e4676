// SPDX-License-Identifier: MIT
// Threads that look up names. libc's resolver knows everything this host is configured for (files, DNS and more), but
// it blocks.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace socks4d {

// In host byte order and in the resolver's order, without duplicates. Empty: no such name, or no answer.
using Addresses = std::vector<uint32_t>;

struct Lookup {
  std::string name;
  Addresses addresses;   // belongs to the thread until the lookup is finished
  void* owner = nullptr; // the resolver's, for its own thread; null: nobody wants the answer any more
};

// Each thread keeps this object alive: it may be stuck in a lookup long after the Resolver is gone.
class LookupThreads : public std::enable_shared_from_this<LookupThreads> {
public:
  // A lookup moves from list to list without allocating, so that no answer is lost when memory is short.
  using Lookups = std::list<std::shared_ptr<Lookup>>;

  // `wake` is an eventfd that becomes readable when a lookup has finished. It belongs to the caller and is not used
  // after close().
  explicit LookupThreads(int wake) : m_wake(wake) {}

  void start(std::shared_ptr<Lookup> lookup);
  void cancel(const std::shared_ptr<Lookup>& lookup);
  Lookups collect_finished();
  void close();

private:
  bool start_thread();
  void work();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void finish(Lookups& lookups);

  std::mutex m_mutex; // protects the rest
  std::condition_variable m_work;
  int m_wake; // -1: closed
  Lookups m_waiting;
  Lookups m_finished;
  size_t m_threads = 0;
  size_t m_idle = 0;
};

} // namespace socks4d
