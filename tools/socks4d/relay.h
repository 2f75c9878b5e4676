// SPDX-License-Identifier: MIT
// The relay between a client and its application server: "from then on the client does I/O on its connection
// to the SOCKS server as if it were directly connected". So bytes, end of stream, urgent bytes and resets are
// all passed on; the bytes stay in the kernel.
#pragma once
#include "socks4d/bind_calls.h"
#include "socks4d/loop.h"
#include "socks4d/pipes.h"
#include <span>

namespace socksify {

// What all relays of a thread share.
struct RelayMeans {
  PipePool pipes;
  const Calls& calls;
};

// One of the two connections, and what was last heard of it. Edge-triggered: a flag stays true until the
// kernel says EAGAIN, so epoll_ctl(2) is not needed while bytes flow, and a hung-up connection that waits for
// the other one does not keep the loop awake.
struct Side {
  Watch& watch;
  bool readable = false;
  bool writable = false;
  bool urgent = false;  // an urgent byte is ahead, not always at once
  bool hung_up = false; // its end of stream is ahead
  bool ended = false;   // nothing more comes from here
  bool failed = false;

  int fd() const { return watch.fd(); }
  void note(uint32_t events);
};

// Bytes from one side to the other. Reads nothing that the other side cannot take: full buffers are felt by
// the sender as if it sat at the other end.
class Direction {
public:
  Direction(Side& from, Side& to, RelayMeans& means) : m_from(from), m_to(to), m_means(means) {}
  // Calls of the one it comes from, which is the application server, go before what comes from it.
  void give_way_to_calls(Parties parties) {
    m_parties = parties;
    m_gives_way = true;
  }
  void move();
  void assume_many() { m_are_many = true; }
  uint64_t bytes() const { return m_bytes; } // that were passed on

private:
  bool fetch();
  bool pass_few();
  void hold(std::span<const char> bytes);
  bool take_many();
  bool take_nothing(ssize_t result);
  bool copy(size_t most, int flags);
  bool flush();
  bool gives_way() const { return m_gives_way && m_means.calls.wait(m_parties); }
  void end_of_stream();

  Side& m_from;
  Side& m_to;
  RelayMeans& m_means;
  Pipe m_pipe; // only while it holds bytes
  uint64_t m_bytes = 0;
  Parties m_parties;
  uint32_t m_held = 0; // bytes in the pipe
  bool m_gives_way = false;
  bool m_are_many = false; // bytes at a time, so that they are worth a pipe
};

class Relay {
public:
  static constexpr uint32_t events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP | EPOLLET;

  Relay(Watch& client, Watch& server, Parties parties, RelayMeans& means);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // All true when the relay has come to its end; Failure if it cannot go on. The first is told all events that were
  // reported before.
  bool begin(uint32_t client_events, uint32_t server_events);
  bool client_ready(uint32_t what) { return ready(m_client, what); }
  bool server_ready(uint32_t what) { return ready(m_server, what); }

  uint64_t bytes_up() const { return m_upward.bytes(); }
  uint64_t bytes_down() const { return m_downward.bytes(); }

private:
  bool ready(Side& side, uint32_t what);
  bool finished() const { return m_client.ended && m_server.ended; }

  Side m_client;
  Side m_server;
  Direction m_upward;   // client to server
  Direction m_downward; // server to client
};

} // namespace socksify
