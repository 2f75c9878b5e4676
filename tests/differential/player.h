// SPDX-License-Identifier: MIT
// A step is a line of words: a verb and its arguments. Descriptors have names of the script's own, "0", "e1": which
// number the kernel gives them is not to be seen.
#pragma once
#include "partner.h"
#include <string>
#include <vector>

namespace differential {

using Words = std::vector<std::string>;

struct Slot {
  int fd = -1;
  Connection* connection = nullptr;
};

// The descriptor of this name; one that is not open (-1) if there is none.
Slot& slot(const std::string& name);

// What a call returned, and errno where it failed, or where it succeeded and changed it all the same.
std::string result(long returned);
void before_call(); // makes that visible

// Waits for what a step has set in motion.
std::string settled(const Slot& slot);

int family_of(int fd);

// What came of the step; empty: no such verb here.
std::string play_socket_step(const Words& words);
std::string play_data_step(const Words& words);
std::string play_wait_step(const Words& words);

inline int number(const Words& words, size_t index) {
  return index < words.size() ? std::atoi(words[index].c_str()) : 0;
}
inline std::string word(const Words& words, size_t index) { return index < words.size() ? words[index] : ""; }

} // namespace differential
