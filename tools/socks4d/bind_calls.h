// SPDX-License-Identifier: MIT
// The calls that BINDs wait for. Whoever calls may tell the client so on another connection, through another relay, as
// FTP servers do ("150 Opening data connection"): a client that reads this before the second reply of its BIND takes
// the call for failed. So a relay asks here, with bytes of an application server in hand, whether such a call waits.
#pragma once
#include "base/fd.h"
#include <atomic>
#include <cstdint>

namespace socksify {

// By their addresses. Of a BIND that several hosts may call, the server is 0.
struct Parties {
  uint32_t client = 0;
  uint32_t server = 0;
};

// For all threads; a client's two connections may belong to two of them.
class Calls {
public:
  Calls();

  // While it lives, a call to `listener` is looked for. The listener is closed when a call was taken, and so forgotten.
  class Expected {
  public:
    Expected(Calls& calls, int listener, Parties parties);
    ~Expected() { --m_calls.m_expected; }
    Expected(const Expected&) = delete;
    Expected& operator=(const Expected&) = delete;

  private:
    Calls& m_calls;
  };

  // Around accept(2) and the second reply, between which a call does not wait any more.
  class Taking {
  public:
    explicit Taking(Calls& calls) : m_calls(calls) { ++m_calls.m_taken; }
    ~Taking() { --m_calls.m_taken; }
    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;

  private:
    Calls& m_calls;
  };

  // True if what `parties.server` said until now may have been said after its call, which the client does not know of.
  // That is so for no longer than it takes the loop of the BIND to get there.
  bool wait(Parties parties) const { return m_expected > 0 && look_for(parties); }

private:
  bool look_for(Parties parties) const;

  Fd m_listeners; // an epoll set
  std::atomic<unsigned> m_expected{0};
  std::atomic<unsigned> m_taken{0}; // at the moment
};

} // namespace socksify
