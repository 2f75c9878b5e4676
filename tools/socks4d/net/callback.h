// SPDX-License-Identifier: MIT
// A small callback: a lambda that captures at most two words and owns nothing. Each of thousands of sessions has
// several, and std::function is twice the size.
#pragma once
#include <cstddef>
#include <new>
#include <type_traits>

namespace socks4d {

template <typename... Arguments> class Callback {
public:
  Callback() = default;
  template <typename Function>
  Callback(Function function) // NOLINT: implicit by design
      : m_invoke([](void* target, Arguments... arguments) { (*static_cast<Function*>(target))(arguments...); }) {
    static_assert(sizeof function <= sizeof m_target && std::is_trivially_copyable_v<Function>);
    new (m_target) Function(function);
  }

  explicit operator bool() const { return m_invoke; }
  void operator()(Arguments... arguments) const { m_invoke(m_target, arguments...); }

private:
  void (*m_invoke)(void*, Arguments...) = nullptr;
  alignas(void*) mutable std::byte m_target[2 * sizeof(void*)];
};

} // namespace socks4d
