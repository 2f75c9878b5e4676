// SPDX-License-Identifier: MIT
// What --check has found, one line each.
#pragma once
#include <string>
#include <vector>

namespace socksify::check {

using Words = std::vector<std::string>;

enum class Level { ok, warning, failure };

struct Finding {
  Level level;
  std::string about; // program, library, settings, names, server, socks4, socks4a, bind
  std::string text;
};

class Report {
public:
  void ok(const char* about, std::string text) { add(Level::ok, about, std::move(text)); }
  // Something does not work, but many programs do without it.
  void warn(const char* about, std::string text) { add(Level::warning, about, std::move(text)); }
  void fail(const char* about, std::string text) { add(Level::failure, about, std::move(text)); }
  void add(Level level, const char* about, std::string text) { m_findings.push_back({level, about, std::move(text)}); }

  // Adds what another report has found. If that is dispensable, its failures become warnings.
  void add_all(const Report& other, bool is_dispensable);

  bool works() const;
  std::string as_text() const;
  std::string as_json() const;

private:
  std::vector<Finding> m_findings;
};

// A JSON string (RFC 8259, 7). Bytes that are not UTF-8 become U+FFFD.
std::string to_json(std::string_view text);

} // namespace socksify::check
