// SPDX-License-Identifier: MIT
// The addresses of names, without a wait. libc's resolver knows all that this host is configured for (files, DNS,
// whatever else), but it blocks: it is asked in threads of its own, and its answers come back by way of the loop.
#pragma once
#include "socks4d/loop.h"
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace socksify {

// One per loop, and like all that belongs to a loop for one thread only.
class Resolver {
public:
  // In host byte order and in the resolver's order, without duplicates. Empty: no such name, or no answer to be had.
  using Addresses = std::vector<uint32_t>;
  using OnAnswer = std::function<void(const Addresses& addresses)>;

  explicit Resolver(Loop& loop);
  ~Resolver(); // waits for nobody; questions that are still open get no answer
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  class Question;
  // The answer comes once, always from the loop. Ending the Question, which on_answer may do, too, means that nobody
  // wants to know any more.
  std::unique_ptr<Question> ask(std::string name, OnAnswer on_answer);

private:
  class Desk;
  struct Lookup;

  void deliver();

  std::shared_ptr<Desk> m_desk;
  Watch m_answers;
};

class Resolver::Question {
public:
  Question(std::shared_ptr<Desk> desk, std::shared_ptr<Lookup> lookup, OnAnswer on_answer);
  ~Question();
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

private:
  friend class Resolver;

  void answer();

  std::shared_ptr<Desk> m_desk;
  std::shared_ptr<Lookup> m_lookup; // null: it has been answered
  OnAnswer m_on_answer;
};

} // namespace socksify
