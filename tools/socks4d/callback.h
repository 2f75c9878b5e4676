// SPDX-License-Identifier: MIT
// What to do, as a small value: a lambda that captures no more than two words, which the owner keeps alive. Thousands
// of sessions have several each, for which std::function is large.
#pragma once
#include <cstddef>
#include <new>
#include <type_traits>

namespace socksify {

template <typename... Arguments> class Callback {
public:
  Callback() = default;
  template <typename Function>
  Callback(Function function) // NOLINT: meant to be implicit
      : m_invoke([](void* what, Arguments... arguments) { (*static_cast<Function*>(what))(arguments...); }) {
    static_assert(sizeof function <= sizeof m_what && std::is_trivially_copyable_v<Function>);
    new (m_what) Function(function);
  }

  explicit operator bool() const { return m_invoke; }
  void operator()(Arguments... arguments) const { m_invoke(m_what, arguments...); }

private:
  void (*m_invoke)(void*, Arguments...) = nullptr;
  alignas(void*) mutable std::byte m_what[2 * sizeof(void*)];
};

} // namespace socksify
