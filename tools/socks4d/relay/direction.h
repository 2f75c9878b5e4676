// SPDX-License-Identifier: MIT
// One direction of a relay: moves bytes from one connection to the other. The bytes stay in the kernel where that
// pays.
#pragma once
#include "socks4d/net/loop.h"
#include "socks4d/relay/pipes.h"
#include "socks4d/session/bind_calls.h"
#include <span>

namespace socks4d {

// What all relays of a thread share.
struct RelayResources {
  PipePool pipes;
  const BindCalls& calls;
};

// One of the two connections, and what epoll last said about it. Edge-triggered: a flag stays true until the kernel
// answers EAGAIN. So flowing bytes need no epoll_ctl(2), and a connection that has hung up does not keep the loop awake
// while it waits for the other one.
struct Side {
  Watch& watch;
  bool readable = false;
  bool writable = false;
  bool urgent = false;  // there is an urgent byte ahead, perhaps behind other bytes
  bool hung_up = false; // the end of the stream is ahead
  bool ended = false;   // the end of the stream was read
  bool failed = false;

  int fd() const { return watch.fd(); }
  void update(uint32_t events);
};

// Reads only what the other side can take, so that the sender notices full buffers as on a direct connection.
class Direction {
public:
  Direction(Side& from, Side& to, RelayResources& resources) : m_from(from), m_to(to), m_resources(resources) {}
  // `from` is the application server: its bytes must wait while a call from it is pending.
  void wait_for_calls(Parties parties) {
    m_parties = parties;
    m_waits_for_calls = true;
  }
  void move();
  void expect_bulk() { m_is_bulk = true; }
  uint64_t bytes() const { return m_bytes; } // passed on so far

private:
  bool fetch();
  bool pass_small();
  bool fill_pipe();
  bool splice_stopped(ssize_t result);
  bool copy(size_t most, int flags);
  bool flush();
  size_t send(std::span<const char> bytes, int flags);
  void store(std::span<const char> bytes);
  void end_of_stream();
  bool must_wait() const { return m_waits_for_calls && m_resources.calls.is_pending(m_parties); }

  Side& m_from;
  Side& m_to;
  RelayResources& m_resources;
  SplicePipe m_pipe; // only while it holds bytes
  uint64_t m_bytes = 0;
  Parties m_parties;
  uint32_t m_stored = 0; // bytes in the pipe
  bool m_waits_for_calls = false;
  bool m_is_bulk = false; // enough bytes come at a time to be worth a pipe
};

} // namespace socks4d
