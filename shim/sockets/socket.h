// SPDX-License-Identifier: MIT
// What the library remembers of a socket: a small struct for each state, in one union.
#pragma once
#include "base/address.h"
#include <new>
#include <optional>
#include <type_traits>

namespace socksify {

enum class State : uint8_t {
  none,           // nothing is known
  pending,        // a CONNECT is in progress
  connected,      // the CONNECT was granted
  failed,         // the CONNECT failed after connect() had returned
  bound,          // bind() was called, and the socket may become a BIND
  listening,      // the BIND was granted, and the second reply is awaited
  accepting,      // the same, and one thread is receiving that reply
  accepted,       // the connection that accept() returned
  dummy_listener, // the real listening socket that replaces a BIND after its call
};

struct Pending {
  static constexpr bool is_state_of(State state) { return state == State::pending; }
  int slot = -1;          // see pending.h
  int low_water_mark = 1; // the program's SO_RCVLOWAT, restored at the end
  Endpoint peer{};
};

struct Connected {
  static constexpr bool is_state_of(State state) { return state == State::connected; }
  Endpoint peer{};
  Endpoint local{};                // port 0: the socket's own port
  bool success_unreported = false; // the next connect() returns 0, and all later ones EISCONN
  bool has_guessed_ip = false;     // `local` is the SOCKS server's, because its reply had no address
};

struct Failed {
  static constexpr bool is_state_of(State state) { return state == State::failed; }
  int error = 0;
};

struct Bound {
  static constexpr bool is_state_of(State state) { return state == State::bound; }
  Endpoint requested{}; // the address that the program asked for
  Endpoint primary{};   // the destination of the primary connection, which is expected to call
  Endpoint last{};      // where it has listened; port 0: nowhere yet

  // At the end of listening the kernel takes a port back that it has chosen itself, but getsockname() still returns it.
  bool may_be_bound_again() const { return last.port && requested.port == 0; }
};

// Connected to the SOCKS server, where all bytes are ours: the program can neither read nor write.
struct AwaitingCall {
  static constexpr bool is_state_of(State state) { return state == State::listening || state == State::accepting; }
  Endpoint requested{}, primary{};
  Endpoint local{};            // the address that the server advertises
  int low_water_mark = 1;      // the program's SO_RCVLOWAT
  bool is_listening = false;   // listen() was called
  bool is_nonblocking = false; // at the last fork(): accept() in another process changes the flags
};

struct Accepted {
  static constexpr bool is_state_of(State state) { return state == State::accepted; }
  Endpoint peer{}, local{};
};

struct DummyListener {
  static constexpr bool is_state_of(State state) { return state == State::dummy_listener; }
  Endpoint requested{}, primary{}, local{}; // as of the BIND
};

class Socket {
  State m_state = State::none; // first, for the layout

public:
  uint8_t family = AF_INET; // of the addresses that the program sees
  uint8_t server = 0;       // the number of the SOCKS server, for a BIND that follows
  int fd = -1;              // where it was last seen: a hint, always verified

  Socket() = default;
  template <typename Is>
  Socket(State state, const Is& is, int its_family, int its_fd, int its_server = 0)
      : family(static_cast<uint8_t>(its_family)), server(static_cast<uint8_t>(its_server)), fd(its_fd) {
    become(state, is);
  }

  State state() const { return m_state; }
  template <typename Is> bool is() const { return Is::is_state_of(m_state); }

  // REQUIRES: is<Is>(). A mistake ends the program at once, because it would mix up two connections.
  template <typename Is> const Is& as() const { return const_cast<Socket*>(this)->as<Is>(); }
  template <typename Is> Is& as() {
    if (!is<Is>())
      __builtin_trap();
    return *std::launder(reinterpret_cast<Is*>(&m_data));
  }

  // Changes the state. REQUIRES: Is::is_state_of(state).
  template <typename Is> void become(State state, const Is& is) {
    if (!Is::is_state_of(state))
      __builtin_trap();
    m_state = state;
    new (&m_data) Is(is);
  }

  // The addresses that getsockname() and getpeername() report. Nothing: the kernel's own.
  std::optional<Endpoint> local() const;
  std::optional<Endpoint> peer() const;

  // A BIND, remembered or started, that has not been called.
  bool is_bind() const { return is<Bound>() || is<AwaitingCall>(); }
  bool is_listening_bind() const { return is<AwaitingCall>() && as<AwaitingCall>().is_listening; }
  // The same, or what remains of it after its call.
  bool is_listener() const { return is_listening_bind() || is<DummyListener>(); }

private:
  union Data {
    constexpr Data() : nothing{} {}
    uint8_t nothing[32];
    Pending pending;
    Connected connected;
    Failed failed;
    Bound bound;
    AwaitingCall awaiting_call;
    Accepted accepted;
    DummyListener dummy_listener;
  } m_data;
};

// As stored in a CookieMap, and passed on to 32-bit and 64-bit programs alike: see exec_state.h.
static_assert(std::is_trivially_copyable_v<Socket> && sizeof(Socket) == 40 && alignof(Socket) == 4);

inline bool is_pending(const std::optional<Socket>& socket) { return socket && socket->is<Pending>(); }

// The transitions, one function each. All keep the socket's family and server.
namespace transitions {

Socket granted(Socket pending, int fd, Endpoint local);                // pending > connected
Socket learned(Socket connected, uint32_t local_ip);                   // connected: the guess was checked
Socket refused(Socket pending, int fd, int error);                     // pending > failed
Socket reported(Socket connected);                                     // connected: connect() has returned 0
Socket bind_granted(Socket bound, Endpoint local, int low_water_mark); // bound > listening
Socket listened(Socket listening);                                     // listening: listen() was called
Socket being_accepted(Socket listening);                               // listening > accepting
Socket call_of(Socket accepting, int fd, Endpoint peer);               // accepting > accepted
Socket dummy_of(Socket awaiting_call, int fd);                         // listening, accepting > dummy_listener
Socket unlistened(Socket listener);                                    // listening, dummy_listener > bound

} // namespace transitions
} // namespace socksify
