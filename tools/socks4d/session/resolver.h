// SPDX-License-Identifier: MIT
// Resolves names without blocking the loop: threads do the lookups, and the answers come back through the loop.
#pragma once
#include "socks4d/net/loop.h"
#include "socks4d/session/lookup_threads.h"
#include <functional>

namespace socks4d {

// One per loop. Like everything that belongs to a loop, only its thread may use it.
class Resolver {
public:
  using OnAnswer = std::function<void(const Addresses& addresses)>;

  explicit Resolver(Loop& loop);
  ~Resolver(); // does not wait for threads; open queries get no answer
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  class Query;
  // Calls on_answer once, always from the loop. Destroying the Query cancels it; on_answer may do that, too.
  std::unique_ptr<Query> start(std::string name, OnAnswer on_answer);

private:
  void deliver();

  std::shared_ptr<LookupThreads> m_threads;
  Watch m_finished;
};

class Resolver::Query {
public:
  Query(std::shared_ptr<LookupThreads> threads, std::shared_ptr<Lookup> lookup, OnAnswer on_answer);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

private:
  friend class Resolver;

  void answer();

  std::shared_ptr<LookupThreads> m_threads;
  std::shared_ptr<Lookup> m_lookup; // null once it is answered
  OnAnswer m_on_answer;
};

} // namespace socks4d
