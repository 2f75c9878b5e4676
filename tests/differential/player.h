// SPDX-License-Identifier: MIT
// A step is a line of words: a verb and its arguments. The script names descriptors, "0" or "e1", and never shows the
// numbers that the kernel chooses.
#pragma once
#include "partner.h"
#include <string>
#include <sys/socket.h>
#include <vector>

namespace differential {

using Words = std::vector<std::string>;

struct Slot {
  int fd = -1;
  Connection* connection = nullptr;
};

// The descriptor with this name, or -1.
Slot& slot(const std::string& name);

// The result of a call: errno if it failed, or if it succeeded and changed errno nevertheless.
std::string result(long returned);
void before_call(); // sets errno, so that result() sees a change

// Waits for everything that a step has started; returns what is missing.
std::string settled(const Slot& slot);

int family_of(int fd);

inline sockaddr* generic(sockaddr_storage& address) { return reinterpret_cast<sockaddr*>(&address); }

// Each plays a step, and returns its outcome, or nothing if it does not know the verb.
std::string play_socket_step(const Words& words);
std::string play_option_step(const Words& words);
std::string play_data_step(const Words& words);
std::string play_wait_step(const Words& words);

inline int number(const Words& words, size_t index) {
  return index < words.size() ? std::atoi(words[index].c_str()) : 0;
}
inline std::string word(const Words& words, size_t index) { return index < words.size() ? words[index] : ""; }

} // namespace differential
