// SPDX-License-Identifier: MIT
// What has been found, a line each.
#pragma once
#include <string>
#include <vector>

namespace socksify {

enum class Level { ok, warning, failure };

struct Finding {
  Level level;
  std::string about; // program, library, settings, server, socks4, socks4a, bind
  std::string text;
};

class Report {
public:
  void ok(const char* about, std::string text) { add(Level::ok, about, std::move(text)); }
  // Something does not work that many programs do without.
  void warn(const char* about, std::string text) { add(Level::warning, about, std::move(text)); }
  void fail(const char* about, std::string text) { add(Level::failure, about, std::move(text)); }
  void add(Level level, const char* about, std::string text) { m_findings.push_back({level, about, std::move(text)}); }

  // What another one has found; if it can be done without, its failures are warnings.
  void take(const Report& other, bool is_dispensable);

  bool works() const;
  std::string as_text() const;
  std::string as_json() const;

private:
  std::vector<Finding> m_findings;
};

// As a JSON string (RFC 8259, 7). Bytes that are not UTF-8 become U+FFFD.
std::string to_json(std::string_view text);

} // namespace socksify
