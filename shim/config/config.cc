// SPDX-License-Identifier: MIT
#include "config/config.h"
#include "base/format.h"
#include <iterator>

namespace socksify {
namespace {

// The environment as questions; remembers the first answer that makes no sense.
class Reader {
public:
  Reader(Lookup lookup, Mistake& mistake) : m_lookup(lookup), m_mistake(mistake) {}

  // The first of the names that is set and not empty. Names are in the order of their precedence.
  std::string_view first(std::initializer_list<const char*> names) {
    for (const char* name : names) {
      const char* value = m_lookup(name);
      if (value && *value) {
        m_variable = name;
        return m_value = value;
      }
    }
    return m_value = {};
  }

  ServerList servers() const { return find_servers(m_lookup); }
  bool is_set(const char* name) const { return m_lookup(name); }

  // The value that `first` found last does not make sense, and why.
  void reject(const char* reason) {
    if (m_mistake.variable)
      return;
    m_mistake.variable = m_variable;
    m_mistake.value.append(FMT_COMPILE("{}"), m_value);
    m_mistake.reason = reason;
  }

  unsigned number(const char* name, unsigned otherwise, unsigned least, unsigned most, const char* reason) {
    const auto text = first({name});
    if (text.empty())
      return otherwise;
    const auto value = parse_number(text, least, most);
    if (!value)
      reject(reason);
    return value.value_or(otherwise);
  }

  // True for `yes` and for what makes no sense, false for `no`; `otherwise` if it is not set.
  bool choice(const char* name, std::string_view yes, std::string_view no, bool otherwise, const char* reason) {
    const auto text = first({name});
    if (text.empty())
      return otherwise;
    if (text != yes && text != no)
      reject(reason);
    return text != no;
  }

  // The value that is set, by its name; `otherwise` if none is; the last one, which is to be the strictest, if it
  // makes no sense.
  template <typename Value> struct Word {
    std::string_view name;
    Value value;
  };
  template <typename Value>
  Value word(const char* variable, std::initializer_list<Word<Value>> words, Value otherwise, const char* reason) {
    const auto text = first({variable});
    for (const auto& [name, value] : words)
      if (text == name)
        return value;
    if (text.empty())
      return otherwise;
    reject(reason);
    return std::prev(words.end())->value;
  }

  template <size_t Size> void copy(std::string_view text, Text<Size>& into) {
    if (text.size() >= Size)
      return reject("too long");
    into.clear();
    into.append(FMT_COMPILE("{}"), text);
  }

private:
  Lookup m_lookup;
  Mistake& m_mistake;
  const char* m_variable = "";
  std::string_view m_value;
};

void read_servers(Reader& reader, std::string_view list, Config& config) {
  ServerHints hints;
  if (const auto mistake = parse_servers(list, config.servers, config.server_count, hints); mistake.reason)
    return reader.reject(mistake.reason);
  reader.copy(hints.userid.view(), config.userid);
  // Who names a SOCKS4A server among others wants names to be sent.
  if (hints.is_socks4 || hints.is_socks4a)
    config.dns = hints.is_socks4a ? Dns::remote : Dns::local;
}

// With nothing else to go by, a general proxy variable that means another protocol is a mistake, because whoever set it
// does not expect direct connections.
std::string_view server_text(Reader& reader) {
  if (const auto servers = reader.servers(); servers.variable)
    return reader.first({servers.variable});
  if (reader.is_set("SOCKS_SERVER"))
    return {};
  const auto other = reader.first({"all_proxy", "ALL_PROXY"});
  if (!other.empty())
    reader.reject("SOCKS4 only: the scheme has to be socks4:// or socks4a://");
  return other;
}

void read_userid(Reader& reader, Config& config) {
  if (const auto text = reader.first({"SOCKS_USER", "SOCKS_USERNAME"}); !text.empty())
    return reader.copy(text, config.userid);
  if (!config.userid.view().empty())
    return; // it came with the server's URL
  if (const auto text = reader.first({"LOGNAME", "USER"}); !text.empty())
    reader.copy(text, config.userid);
}

void read_names(Reader& reader, Config& config) {
  config.dns =
      reader.word<Dns>("SOCKSIFY_DNS", {{"auto", Dns::automatic}, {"local", Dns::local}, {"remote", Dns::remote}},
                       config.dns, "neither auto nor local nor remote");
  config.leak = reader.word<Leak>("SOCKSIFY_LEAK", {{"allow", Leak::allow}, {"warn", Leak::warn}, {"deny", Leak::deny}},
                                  config.leak, "neither allow nor warn nor deny");
  const auto session = reader.first({"SOCKSIFY_SESSION"});
  if (!session.empty() && !session.starts_with('/'))
    return reader.reject("not an absolute path");
  config.session = session;
}

void read_log(Reader& reader, Config& config) {
  // Other socksifiers know levels above ours; they mean "all".
  config.debug = static_cast<int>(reader.number("SOCKS_DEBUG", 0, 0, 999999999, "not a number from 0 to 3"));
  const auto output = reader.first({"SOCKS_LOGOUTPUT"});
  if (output.empty() || output == "stderr")
    return;
  if (!output.starts_with('/'))
    return reader.reject("neither stderr nor an absolute path");
  config.log_file = output;
}

} // namespace

void parse_config(Lookup lookup, Config& config) {
  Reader reader{lookup, config.mistake};
  const auto server = server_text(reader);
  if (server.empty())
    return;
  config.active = true;
  read_servers(reader, server, config);
  read_userid(reader, config);
  config.timeout =
      reader.number("SOCKSIFY_TIMEOUT", config.timeout, 1, 86400, "not a number of seconds from 1 to 86400");
  config.bind = reader.word<Bind>("SOCKSIFY_BIND", {{"off", Bind::off}, {"any", Bind::any}, {"auto", Bind::automatic}},
                                  config.bind, "neither auto nor any nor off");
  config.proxy_loopback = reader.choice("SOCKSIFY_LOOPBACK", "proxy", "direct", false, "neither proxy nor direct");
  config.fast_open = reader.choice("SOCKSIFY_FASTOPEN", "1", "0", false, "neither 1 nor 0");
  read_names(reader, config);
  read_log(reader, config);
  config.no_proxy = reader.first({"no_proxy", "NO_PROXY"});
}

} // namespace socksify
