// SPDX-License-Identifier: MIT
#include "launcher/options.h"

namespace socksify::launcher {
namespace {

constexpr const char* see_help = "; see socksify --help";

const char* name_of(Mode mode) {
  return mode == Mode::check ? "--check" : mode == Mode::shell ? "--shell" : mode == Mode::env ? "--env" : "--help";
}
const char* name_of(Companion companion) { return companion == Companion::local ? "--local" : "--ssh"; }

// Goes through the words; a complaint is remembered, and ends it.
class Parser {
public:
  Parser(char** words, Options& options) : m_next(words), m_options(options) {}

  Complaint parse() {
    while (!m_complaint && !is_told() && *m_next && **m_next == '-' && (*m_next)[1]) {
      const char* const word = *m_next++;
      if (std::string_view{word} == "--")
        break;
      if (word[1] == '-')
        take_long(word);
      else
        take_cluster(word + 1);
    }
    m_options.command = m_next;
    if (!m_complaint && !is_told())
      find_contradiction();
    return m_complaint;
  }

private:
  // What comes after --help does not matter.
  bool is_told() const { return m_options.mode == Mode::help || m_options.mode == Mode::version; }

  void complain(std::string_view a, std::string_view b = {}, std::string_view c = {}, std::string_view d = {}) {
    if (!m_complaint)
      m_complaint = {{a, b, c, d, {}}};
  }

  // "-vvs SERVER", "-sSERVER"
  void take_cluster(const char* letters) {
    for (; *letters && !m_complaint; ++letters) {
      const std::string_view letter{letters, 1};
      if (*letters == 'v') {
        ++m_options.raised;
        continue;
      }
      if (std::string_view{"sundo"}.find(*letters) == std::string_view::npos)
        return complain("unknown option -", letter, see_help);
      const char* const value = letters[1] ? letters + 1 : *m_next ? *m_next++ : nullptr;
      if (!value)
        return complain("-", letter, " needs a value", see_help);
      return take(*letters, value);
    }
  }

  void take(char letter, const char* value) {
    switch (letter) {
    case 's':
      m_options.servers = value;
      break;
    case 'u':
      m_options.userid = value;
      break;
    case 'n':
      m_options.no_proxy = value;
      break;
    case 'o':
      m_options.log_file = value;
      break;
    case 'd':
      if (value[0] < '0' || value[0] > '3' || value[1])
        return complain("-d: '", value, "': not a number from 0 to 3");
      m_options.level = value[0];
      m_options.raised = 0;
    }
  }

  void take_long(const char* word) {
    const std::string_view text{word};
    constexpr std::string_view ssh = "--ssh=";
    if (text == "--help")
      m_options.mode = Mode::help;
    else if (text == "--version")
      m_options.mode = Mode::version;
    else if (text == "--json")
      m_options.json = true;
    else if (text == "--check" || text == "--shell" || text == "--env")
      take_mode(text == "--check" ? Mode::check : text == "--shell" ? Mode::shell : Mode::env);
    else if (text == "--local")
      take_companion(Companion::local);
    else if (text == "--ssh" && !*m_next)
      complain("--ssh needs a value", see_help);
    else if (text == "--ssh" || text.starts_with(ssh)) {
      m_options.gateway = text == "--ssh" ? *m_next++ : word + ssh.size();
      take_companion(Companion::ssh);
    } else
      complain("unknown option ", text, see_help);
  }

  void take_mode(Mode mode) {
    if (m_options.mode != Mode::run)
      complain(name_of(m_options.mode), " and ", name_of(mode), ": one of them only");
    m_options.mode = mode;
  }

  void take_companion(Companion companion) {
    if (m_options.companion != Companion::none)
      complain(name_of(m_options.companion), " and ", name_of(companion), ": one server only");
    m_options.companion = companion;
  }

  void find_contradiction() {
    const auto mode = m_options.mode;
    const bool has_companion = m_options.companion != Companion::none;
    if (m_options.servers && has_companion)
      complain("-s and ", name_of(m_options.companion), ": one server only");
    if (m_options.json && mode != Mode::check)
      complain("--json goes with --check");
    if (mode == Mode::run && !*m_options.command)
      complain("no command", see_help);
    if ((mode == Mode::shell || mode == Mode::env) && *m_options.command)
      complain(name_of(mode), " takes no command");
    if (mode == Mode::env && has_companion)
      complain("--env and ", name_of(m_options.companion), ": the server would end at once");
    if (const char* const gateway = m_options.gateway; gateway && (!*gateway || *gateway == '-'))
      complain("--ssh: '", gateway, "': not the name of a host");
  }

  char** m_next;
  Options& m_options;
  Complaint m_complaint;
};

} // namespace

Complaint parse_options(char** words, Options& options) { return Parser(words, options).parse(); }

} // namespace socksify::launcher
