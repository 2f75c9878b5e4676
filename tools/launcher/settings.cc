// SPDX-License-Identifier: MIT
#include "launcher/settings.h"
#include "config/config.h"
#include <cstring>

namespace socksify::launcher {
namespace {

constexpr const char* names[] = {"SOCKS_SERVER",    "SOCKS_USER",        "NO_PROXY",        "SOCKS_DEBUG",
                                 "SOCKS_LOGOUTPUT", "SOCKSIFY_BIND",     "SOCKSIFY_DNS",    "SOCKSIFY_FASTOPEN",
                                 "SOCKSIFY_LEAK",   "SOCKSIFY_LOOPBACK", "SOCKSIFY_TIMEOUT"};

// "NAME NAME ...", for a complaint.
struct NameList {
  char text[256]{};
  size_t size = 0;

  constexpr NameList() {
    for (const std::string_view name : names) {
      if (size)
        text[size++] = ' ';
      for (const char c : name)
        text[size++] = c;
    }
  }
};
constexpr NameList all_names;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back()))
    text.remove_suffix(1);
  return text;
}

// Its place among the names, which is its bit among those seen; -1: there is no such name.
int number_of(std::string_view name) {
  int number = 0;
  for (const char* known : names) {
    if (name == known)
      return number;
    ++number;
  }
  return -1;
}

std::string_view unquote(std::string_view value) {
  if (value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
    return {value.data() + 1, value.size() - 2};
  return value;
}

// Because the library's question is a function of the name alone.
constinit Setting judged;

const char* look_up(const char* variable) {
  if (std::string_view{variable} == judged.name)
    return judged.value;
  return std::string_view{variable} == "SOCKS_SERVER" ? "server" : nullptr;
}

const char* reason_against(const Setting& setting) {
  const std::string_view name{setting.name}, value{setting.value};
  const bool may_be_empty = name == "NO_PROXY" || name == "SOCKS_USER"; // an empty list, the login name
  if (value.empty() && !may_be_empty)
    return "it is empty";
  // The library knows levels above ours, which other socksifiers have.
  if (name == "SOCKS_DEBUG" && (value.size() != 1 || value[0] < '0' || value[0] > '3'))
    return "not a number from 0 to 3";
  judged = setting;
  Config config;
  parse_config(look_up, config);
  return config.mistake.variable ? config.mistake.reason : nullptr;
}

} // namespace

Complaint judge_servers(std::string_view name, std::string_view list) {
  Server servers[most_servers];
  ServerHints hints;
  int count;
  if (const auto mistake = parse_servers(list, servers, count, hints); mistake.reason)
    return {{name, ": '", mistake.text, "': ", mistake.reason}};
  return {};
}

Settings::Settings(char* text, size_t size) : m_next(text), m_end(text + size) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (std::string_view{text, size}.starts_with(byte_order_mark))
    m_next += byte_order_mark.size();
}

bool Settings::complain(const Complaint& complaint) {
  m_complaint = complaint;
  return false;
}

bool Settings::next(Setting& setting) {
  while (m_next < m_end) {
    char* const begin = m_next;
    const auto newline = static_cast<char*>(std::memchr(begin, '\n', static_cast<size_t>(m_end - begin)));
    char* const end = newline ? newline : m_end;
    m_next = newline ? end + 1 : m_end;
    ++m_line;
    const std::string_view line{begin, static_cast<size_t>(end - begin)};
    if (line.find('\0') != line.npos)
      return complain({{"there is a zero byte in the line", {}, {}, {}, {}}});
    if (const auto text = trim(line); !text.empty() && text.front() != '#')
      return take(text, setting);
  }
  return false;
}

bool Settings::take(std::string_view line, Setting& setting) {
  const auto [left, right, found] = split_at(line, line.find('='));
  if (!found)
    return complain({{"'", line, "': not NAME=VALUE", {}, {}}});
  const auto name = trim(left);
  const int number = number_of(name);
  if (number < 0)
    return complain({{"'", name, "': no such setting; there are ", {all_names.text, all_names.size}, {}}});
  if (m_seen & 1u << number)
    return complain({{name, ": given twice", {}, {}, {}}});
  m_seen |= 1u << number;
  const auto value = unquote(trim(right));
  const_cast<char*>(value.data())[value.size()] = '\0';
  setting = {names[number], value.data()};
  if (name == "SOCKS_SERVER") {
    m_complaint = judge_servers(setting.name, value);
    return !m_complaint;
  }
  if (const char* const reason = reason_against(setting))
    return complain({{setting.name, ": '", value, "': ", reason}});
  return true;
}

} // namespace socksify::launcher
