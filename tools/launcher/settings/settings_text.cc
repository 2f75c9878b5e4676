// SPDX-License-Identifier: MIT
#include "launcher/settings/settings_text.h"
#include "launcher/error.h"

namespace socksify::launcher {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view unquote(std::string_view value) {
  const bool is_quoted =
      value.size() > 1 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

std::string names_in_files() {
  std::string names;
  for (const auto& setting : settings)
    if (!(setting.traits & not_in_files))
      names.append(" ").append(setting.name);
  return names;
}

const Setting& find(std::string_view name) {
  const Setting* const setting = find_setting(name);
  if (!setting || setting->traits & not_in_files)
    fail({"'", name, "': no such setting; there are", names_in_files()});
  return *setting;
}

const char* reason_against(const Setting& setting, const std::string& value) {
  const std::string_view name{setting.name};
  if (value.empty() && !(setting.traits & may_be_empty))
    return "it is empty";
  // The library accepts levels above ours, which other socksifiers have.
  if (name == "SOCKS_DEBUG" && (value.size() != 1 || value > "3"))
    return "not a number from 0 to 3";
  Config config;
  return setting.parse(value, config);
}

void judge(const Setting& setting, const std::string& value) {
  if (std::string_view{setting.name} == "SOCKS_SERVER")
    return judge_servers(setting.name, value);
  if (const char* const reason = reason_against(setting, value))
    fail({setting.name, ": '", value, "': ", reason});
}

} // namespace

void judge_servers(std::string_view name, std::string_view list) {
  Server servers[most_servers];
  ServerHints hints;
  int count;
  if (const auto mistake = parse_servers(list, servers, count, hints); mistake.reason)
    fail({name, ": '", mistake.text, "': ", mistake.reason});
}

SettingsText::SettingsText(std::string_view text) : m_rest(text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF"; // some editors put it there
  if (m_rest.starts_with(byte_order_mark))
    m_rest.remove_prefix(byte_order_mark.size());
}

std::string_view SettingsText::take_line() {
  const auto [line, rest, found] = split_at(m_rest, m_rest.find('\n'));
  m_rest = rest;
  ++m_line;
  if (line.find('\0') != line.npos)
    fail({"there is a zero byte in the line"});
  return trim(line, blanks);
}

bool SettingsText::next(Assignment& assignment) {
  while (!m_rest.empty())
    if (const auto line = take_line(); !line.empty() && line.front() != '#') {
      assignment = parse(line);
      return true;
    }
  return false;
}

Assignment SettingsText::parse(std::string_view line) {
  const auto [name, value, found] = split_at(line, line.find('='));
  if (!found)
    fail({"'", line, "': not NAME=VALUE"});
  const auto& setting = find(trim(name, blanks));
  const unsigned bit = 1u << (&setting - settings.data());
  if (m_seen & bit)
    fail({setting.name, ": given twice"});
  m_seen |= bit;
  Assignment assignment{&setting, std::string(unquote(trim(value, blanks)))};
  judge(setting, assignment.value);
  return assignment;
}

} // namespace socksify::launcher
