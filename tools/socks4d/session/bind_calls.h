// SPDX-License-Identifier: MIT
// A call is the incoming connection that a BIND waits for. The caller may also announce it to the client on another
// connection, through another relay: an FTP server says "150 Opening data connection". A client that reads this before
// the second reply of its BIND thinks the call has failed. So before a relay passes on bytes from an application
// server, it asks here whether a call from that server is still pending.
#pragma once
#include "socks4d/base.h"
#include <atomic>
#include <cstdint>

namespace socks4d {

// The IP addresses of both ends. If several hosts may call, the server is 0.
struct Parties {
  uint32_t client = 0;
  uint32_t server = 0;
};

// Shared by all threads: two connections of one client may belong to two threads.
class BindCalls {
public:
  BindCalls();

  // Registers a listening socket for as long as the guard lives. The session closes the socket when it has accepted the
  // call, which removes it from the epoll set.
  class ExpectCall {
  public:
    ExpectCall(BindCalls& calls, int listener, Parties parties);
    ~ExpectCall() { --m_calls.m_expected; }
    ExpectCall(const ExpectCall&) = delete;
    ExpectCall& operator=(const ExpectCall&) = delete;

  private:
    BindCalls& m_calls;
  };

  // Covers the time from accept(2) to the second reply. The kernel no longer reports the call as waiting, but the
  // client does not know about it yet.
  class AnnounceCall {
  public:
    explicit AnnounceCall(BindCalls& calls) : m_calls(calls) { ++m_calls.m_announcing; }
    ~AnnounceCall() { --m_calls.m_announcing; }
    AnnounceCall(const AnnounceCall&) = delete;
    AnnounceCall& operator=(const AnnounceCall&) = delete;

  private:
    BindCalls& m_calls;
  };

  // True if `parties.server` may have called before it sent the bytes at hand, and the client does not know yet. It
  // becomes false as soon as the loop of the BIND has handled the call.
  bool is_pending(Parties parties) const { return m_expected > 0 && ask_kernel(parties); }

private:
  bool ask_kernel(Parties parties) const;

  Fd m_listeners; // an epoll set
  std::atomic<unsigned> m_expected{0};
  std::atomic<unsigned> m_announcing{0};
};

} // namespace socks4d
