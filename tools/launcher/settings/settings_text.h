// SPDX-License-Identifier: MIT
// The text of a settings file: lines of NAME=VALUE with blanks around both; VALUE may be in quotes; a comment begins
// with #. The library's own parser judges each value, so that it finds no mistake later.
#pragma once
#include "base/settings.h"
#include <string>

namespace socksify::launcher {

struct Assignment {
  const Setting* setting;
  std::string value;
};

class SettingsText {
public:
  explicit SettingsText(std::string_view text);

  // False at the end. Throws Error if a line makes no sense.
  bool next(Assignment& assignment);
  unsigned line() const { return m_line; }

private:
  std::string_view take_line();
  Assignment parse(std::string_view line);

  std::string_view m_rest;
  unsigned m_line = 0, m_seen = 0; // m_seen: a bit for each setting
};

// Throws Error if one of the servers makes no sense; `name` says where the list comes from.
void judge_servers(std::string_view name, std::string_view list);

} // namespace socksify::launcher
