// SPDX-License-Identifier: MIT
// The text of a file of settings: lines of NAME=VALUE, blanks around both, VALUE in quotes or not; comments begin with
// #. A byte order mark may come first, as some editors put it there. Each value is judged by the library's own parser,
// for it to make no mistake later.
#pragma once
#include "launcher/complaint.h"
#include <cstddef>

namespace socksify::launcher {

struct Setting {
  const char *name = nullptr, *value = nullptr;
};

class Settings {
public:
  // REQUIRES: text[size] can be written to, too: values are terminated in place.
  Settings(char* text, size_t size);

  // False at the end, and where something makes no sense.
  bool next(Setting& setting);

  unsigned line() const { return m_line; }
  const Complaint& complaint() const { return m_complaint; }

private:
  bool take(std::string_view line, Setting& setting);
  bool complain(const Complaint& complaint);

  char *m_next, *const m_end;
  unsigned m_line = 0, m_seen = 0; // a bit for each name
  Complaint m_complaint;
};

// Of a list of servers, which is named so.
Complaint judge_servers(std::string_view name, std::string_view list);

} // namespace socksify::launcher
