// SPDX-License-Identifier: MIT
#include "socks4d/session/lookup_threads.h"
#include "socks4d/base.h"
#include <algorithm>
#include <csignal>
#include <netdb.h>
#include <sys/eventfd.h>
#include <thread>

namespace socks4d {

using namespace std::chrono_literals;

namespace {

constexpr size_t most_threads = 32;
constexpr size_t most_waiting = 1024;
constexpr auto idle_limit = 10s;

Addresses look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &first) != 0)
    return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, ::freeaddrinfo);
  Addresses addresses;
  for (const addrinfo* info = first; info; info = info->ai_next) {
    const auto found = IpPort::from(info->ai_addr, info->ai_addrlen);
    if (found && std::ranges::find(addresses, found->ip.ipv4()) == addresses.end())
      addresses.push_back(found->ip.ipv4());
  }
  return addresses;
}

// A new thread inherits the signal mask, so it never receives a signal meant for the server.
class AllSignalsBlocked {
public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &m_previous);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &m_previous, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

private:
  sigset_t m_previous;
};

} // namespace

// An address needs no thread: it is answered even while all threads are stuck.
void LookupThreads::start(std::shared_ptr<Lookup> lookup) {
  const auto address = parse_ipv4(lookup->name);
  if (address)
    lookup->addresses.push_back(*address);
  Lookups one{std::move(lookup)};
  const std::lock_guard lock(m_mutex);
  if (address || m_waiting.size() >= most_waiting)
    return finish(one);
  m_waiting.splice(m_waiting.end(), one);
  if (m_waiting.size() <= m_idle)
    m_work.notify_one();
  else if (m_threads < most_threads && !start_thread() && m_threads == 0)
    finish(m_waiting);
}

void LookupThreads::cancel(const std::shared_ptr<Lookup>& lookup) {
  const std::lock_guard lock(m_mutex);
  m_waiting.remove(lookup);
}

LookupThreads::Lookups LookupThreads::collect_finished() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_finished, {});
}

void LookupThreads::close() {
  const std::lock_guard lock(m_mutex);
  m_wake = -1;
  m_waiting.clear();
  m_work.notify_all();
}

bool LookupThreads::start_thread() try {
  const AllSignalsBlocked blocked;
  std::thread([self = shared_from_this()] { self->work(); }).detach();
  ++m_threads;
  return true;
} catch (const std::exception&) {
  return false;
}

void LookupThreads::work() {
  std::unique_lock lock(m_mutex);
  while (wait_for_work(lock)) {
    Lookups mine;
    mine.splice(mine.end(), m_waiting, m_waiting.begin());
    lock.unlock();
    Lookup& lookup = *mine.front();
    try {
      lookup.addresses = look_up(lookup.name);
    } catch (const std::exception&) { // out of memory: no answer
    }
    lock.lock();
    finish(mine);
  }
  --m_threads;
}

// False if there is nothing left for this thread.
bool LookupThreads::wait_for_work(std::unique_lock<std::mutex>& lock) {
  ++m_idle;
  m_work.wait_for(lock, idle_limit, [this] { return m_wake < 0 || !m_waiting.empty(); });
  --m_idle;
  return !m_waiting.empty();
}

// REQUIRES: the mutex is held. Without it, `wake` could be closed and reused before the write.
void LookupThreads::finish(Lookups& lookups) {
  m_finished.splice(m_finished.end(), lookups);
  if (m_wake >= 0)
    ::eventfd_write(m_wake, 1); // fails only after 2^64 lookups
}

} // namespace socks4d
