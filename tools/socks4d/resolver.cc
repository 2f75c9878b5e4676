// SPDX-License-Identifier: MIT
#include "socks4d/resolver.h"
#include "base/address.h"
#include "common/system_call.h"
#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <list>
#include <mutex>
#include <netdb.h>
#include <sys/eventfd.h>
#include <thread>

namespace socksify {

using namespace std::chrono_literals;

namespace {

constexpr size_t most_threads = 32;
constexpr size_t most_waiting = 1024;
constexpr auto idle_limit = 10s;

Resolver::Addresses look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &first) != 0)
    return {};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(first, ::freeaddrinfo);
  Resolver::Addresses addresses;
  for (const addrinfo* info = first; info; info = info->ai_next) {
    const auto found = IpPort::from(info->ai_addr, info->ai_addrlen);
    if (found && std::ranges::find(addresses, found->ip.ipv4()) == addresses.end())
      addresses.push_back(found->ip.ipv4());
  }
  return addresses;
}

// A thread inherits the mask: so there is no moment in which a signal meant for the server could go astray there.
class AllSignalsBlocked {
public:
  AllSignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &m_former);
  }
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &m_former, nullptr); }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

private:
  sigset_t m_former;
};

} // namespace

struct Resolver::Lookup {
  std::string name;
  Addresses addresses;       // the thread's, until it has been handed in
  Question* asker = nullptr; // for the loop's thread only; null: nobody any more
};

// Where questions are laid down and answers fetched. The threads keep it alive, because one may be stuck in a lookup
// when the Resolver has gone long ago.
class Resolver::Desk : public std::enable_shared_from_this<Desk> {
public:
  // `wake` stays the caller's: it is left alone after close().
  explicit Desk(int wake) : m_wake(wake) {}

  void hand_in(std::shared_ptr<Lookup> lookup);
  void withdraw(const std::shared_ptr<Lookup>& lookup);
  std::list<std::shared_ptr<Lookup>> take_answers();
  void close();

private:
  // Lookups go from list to list as they are: that allocates nothing, so no answer is lost when memory is short.
  using Lookups = std::list<std::shared_ptr<Lookup>>;

  bool start_thread();
  void work();
  bool await_work(std::unique_lock<std::mutex>& lock);
  void answer(Lookups& lookups);

  std::mutex m_mutex; // of all that follows
  std::condition_variable m_work;
  int m_wake; // -1: closed
  Lookups m_waiting;
  Lookups m_answered;
  size_t m_threads = 0;
  size_t m_idle = 0;
};

// An address is its own answer, even while all threads are stuck.
void Resolver::Desk::hand_in(std::shared_ptr<Lookup> lookup) {
  const auto address = parse_ipv4(lookup->name);
  if (address)
    lookup->addresses.push_back(*address);
  Lookups one{std::move(lookup)};
  const std::lock_guard lock(m_mutex);
  if (address || m_waiting.size() >= most_waiting)
    return answer(one);
  m_waiting.splice(m_waiting.end(), one);
  if (m_waiting.size() <= m_idle)
    m_work.notify_one();
  else if (m_threads < most_threads && !start_thread() && m_threads == 0)
    answer(m_waiting);
}

void Resolver::Desk::withdraw(const std::shared_ptr<Lookup>& lookup) {
  const std::lock_guard lock(m_mutex);
  m_waiting.remove(lookup);
}

std::list<std::shared_ptr<Resolver::Lookup>> Resolver::Desk::take_answers() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_answered, {});
}

void Resolver::Desk::close() {
  const std::lock_guard lock(m_mutex);
  m_wake = -1;
  m_waiting.clear();
  m_work.notify_all();
}

bool Resolver::Desk::start_thread() try {
  const AllSignalsBlocked blocked;
  std::thread([desk = shared_from_this()] { desk->work(); }).detach();
  ++m_threads;
  return true;
} catch (const std::exception&) {
  return false;
}

void Resolver::Desk::work() {
  std::unique_lock lock(m_mutex);
  while (await_work(lock)) {
    Lookups mine;
    mine.splice(mine.end(), m_waiting, m_waiting.begin());
    lock.unlock();
    Lookup& lookup = *mine.front();
    try {
      lookup.addresses = look_up(lookup.name);
    } catch (const std::exception&) { // no memory: no answer
    }
    lock.lock();
    answer(mine);
  }
  --m_threads;
}

// False: this thread is not needed any more.
bool Resolver::Desk::await_work(std::unique_lock<std::mutex>& lock) {
  ++m_idle;
  m_work.wait_for(lock, idle_limit, [this] { return m_wake < 0 || !m_waiting.empty(); });
  --m_idle;
  return !m_waiting.empty();
}

// REQUIRES: the mutex is held, so that `wake` is not closed, or somebody else's, at the moment of the write.
void Resolver::Desk::answer(Lookups& lookups) {
  m_answered.splice(m_answered.end(), lookups);
  if (m_wake >= 0)
    ::eventfd_write(m_wake, 1); // cannot fail: nobody asks 2^64 questions
}

Resolver::Resolver(Loop& loop) : m_answers(loop, Fd(check("eventfd", ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)))) {
  m_desk = std::make_shared<Desk>(m_answers.fd());
  m_answers.expect(EPOLLIN, [this](uint32_t) { deliver(); });
}

Resolver::~Resolver() { m_desk->close(); }

std::unique_ptr<Resolver::Question> Resolver::ask(std::string name, OnAnswer on_answer) {
  const auto lookup = std::make_shared<Lookup>();
  lookup->name = std::move(name);
  auto question = std::make_unique<Question>(m_desk, lookup, std::move(on_answer));
  lookup->asker = question.get();
  m_desk->hand_in(lookup);
  return question;
}

// The eventfd is emptied first: an answer that comes between the two is taken now, and announced in vain later.
void Resolver::deliver() {
  eventfd_t count;
  ::eventfd_read(m_answers.fd(), &count);
  for (const auto& lookup : m_desk->take_answers())
    if (Question* const asker = lookup->asker) // asked one by one: each answer may end other questions
      asker->answer();
}

Resolver::Question::Question(std::shared_ptr<Desk> desk, std::shared_ptr<Lookup> lookup, OnAnswer on_answer)
    : m_desk(std::move(desk)), m_lookup(std::move(lookup)), m_on_answer(std::move(on_answer)) {}

Resolver::Question::~Question() {
  if (!m_lookup)
    return;
  m_lookup->asker = nullptr;
  m_desk->withdraw(m_lookup);
}

// on_answer may end this question: it is the last thing that is done here, and nothing of it is ours by then.
void Resolver::Question::answer() {
  const auto lookup = std::exchange(m_lookup, nullptr);
  lookup->asker = nullptr;
  const OnAnswer on_answer = std::move(m_on_answer);
  on_answer(lookup->addresses);
}

} // namespace socksify
