// SPDX-License-Identifier: MIT
#include "launcher/options.h"
#include "launcher/error.h"

namespace socksify::launcher {
namespace {

constexpr std::string_view see_help = "; see socksify --help";

std::string_view name_of(Mode mode) {
  return mode == Mode::check ? "--check" : mode == Mode::shell ? "--shell" : "--env";
}
std::string_view name_of(WithServer kind) { return kind == WithServer::local ? "--local" : "--ssh"; }

class Parser {
public:
  explicit Parser(char** words) : m_next(words) {}

  // --help and --version end it: what follows them does not matter.
  Options parse() {
    while (!is_information() && *m_next && **m_next == '-' && (*m_next)[1]) {
      const std::string_view word = *m_next++;
      if (word == "--")
        break;
      read(word);
    }
    m_options.command = m_next;
    if (!is_information())
      refuse_contradictions();
    return m_options;
  }

private:
  bool is_information() const { return m_options.mode == Mode::help || m_options.mode == Mode::version; }

  void read(std::string_view word) {
    constexpr std::string_view ssh = "--ssh=";
    if (word == "--help" || word == "--version")
      m_options.mode = word == "--help" ? Mode::help : Mode::version;
    else if (word == "--check" || word == "--shell" || word == "--env")
      set_mode(word == "--check" ? Mode::check : word == "--shell" ? Mode::shell : Mode::env);
    else if (word == "--json")
      m_options.json = true;
    else if (word == "--server-option")
      m_options.has_server_option = true;
    else if (word == "--local")
      set_server(WithServer::local);
    else if (word == "--ssh")
      set_gateway(take_value(word));
    else if (word.starts_with(ssh))
      set_gateway(word.data() + ssh.size());
    else
      fail({"unknown option ", word, see_help});
  }

  const char* take_value(std::string_view option) {
    if (!*m_next)
      fail({option, " needs a value", see_help});
    return *m_next++;
  }

  void set_mode(Mode mode) {
    if (m_options.mode != Mode::run)
      fail({name_of(m_options.mode), " and ", name_of(mode), ": only one of them"});
    m_options.mode = mode;
  }

  void set_server(WithServer kind) {
    if (m_options.with_server != WithServer::no)
      fail({name_of(m_options.with_server), " and ", name_of(kind), ": only one server"});
    m_options.with_server = kind;
  }

  void set_gateway(const char* gateway) {
    set_server(WithServer::ssh);
    if (!*gateway || *gateway == '-')
      fail({"--ssh: '", gateway, "': not the name of a host"});
    m_options.gateway = gateway;
  }

  void refuse_contradictions() {
    const auto mode = m_options.mode;
    const bool has_own_server = m_options.with_server != WithServer::no;
    if (m_options.has_server_option && has_own_server)
      fail({"-s and ", name_of(m_options.with_server), ": only one server"});
    if (m_options.json && mode != Mode::check)
      fail({"--json goes with --check"});
    if (mode == Mode::run && !*m_options.command)
      fail({"no command", see_help});
    if ((mode == Mode::shell || mode == Mode::env) && *m_options.command)
      fail({name_of(mode), " takes no command"});
    if (mode == Mode::env && has_own_server)
      fail({"--env and ", name_of(m_options.with_server), ": the server would end at once"});
  }

  char** m_next;
  Options m_options;
};

} // namespace

Options parse_options(char** words) { return Parser(words).parse(); }

} // namespace socksify::launcher
