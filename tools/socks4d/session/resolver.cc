// SPDX-License-Identifier: MIT
#include "socks4d/session/resolver.h"
#include <sys/eventfd.h>

namespace socks4d {

Resolver::Resolver(Loop& loop) : m_finished(loop, Fd(check("eventfd", ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)))) {
  m_threads = std::make_shared<LookupThreads>(m_finished.fd());
  m_finished.expect(EPOLLIN, [this](uint32_t) { deliver(); });
}

Resolver::~Resolver() { m_threads->close(); }

std::unique_ptr<Resolver::Query> Resolver::start(std::string name, OnAnswer on_answer) {
  const auto lookup = std::make_shared<Lookup>();
  lookup->name = std::move(name);
  auto query = std::make_unique<Query>(m_threads, lookup, std::move(on_answer));
  lookup->owner = query.get();
  m_threads->start(lookup);
  return query;
}

// Empties the eventfd first: a lookup that finishes in between is delivered now, and its wake-up finds nothing left.
// Each owner is read just before its call, because an answer may destroy other queries.
void Resolver::deliver() {
  eventfd_t count;
  ::eventfd_read(m_finished.fd(), &count);
  for (const auto& lookup : m_threads->collect_finished())
    if (lookup->owner)
      static_cast<Query*>(lookup->owner)->answer();
}

Resolver::Query::Query(std::shared_ptr<LookupThreads> threads, std::shared_ptr<Lookup> lookup, OnAnswer on_answer)
    : m_threads(std::move(threads)), m_lookup(std::move(lookup)), m_on_answer(std::move(on_answer)) {}

Resolver::Query::~Query() {
  if (!m_lookup)
    return;
  m_lookup->owner = nullptr;
  m_threads->cancel(m_lookup);
}

// on_answer may destroy this query, so it is called last, from a local copy.
void Resolver::Query::answer() {
  const auto lookup = std::exchange(m_lookup, nullptr);
  lookup->owner = nullptr;
  const OnAnswer on_answer = std::move(m_on_answer);
  on_answer(lookup->addresses);
}

} // namespace socks4d
