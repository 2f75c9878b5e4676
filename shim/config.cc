// SPDX-License-Identifier: MIT
#include "config.h"
#include "environment.h"
#include "forks.h"
#include "format.h"
#include "handover.h"
#include "log.h"
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <pthread.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <unistd.h>

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

  // The program may change its environment, and free it.
  void keep(std::string_view text, std::string_view& into) {
    if (text.empty())
      return;
    void* memory = mmap(nullptr, text.size() + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return reject("no memory for it");
    std::memcpy(memory, text.data(), text.size());
    into = {static_cast<const char*>(memory), text.size()};
  }

private:
  Lookup m_lookup;
  Mistake& m_mistake;
  const char* m_variable = "";
  std::string_view m_value;
};

// The servers, separated by commas.
void read_servers(Reader& reader, std::string_view list, Config& config) {
  ServerHints hints;
  for (bool more = true; more;) {
    const auto [text, rest, found] = split_at(list, list.find(','));
    more = found;
    list = rest;
    if (config.server_count == servers::most)
      return reader.reject("more servers than 8");
    if (const char* reason = parse_server(text, config.servers[config.server_count], hints))
      return reader.reject(reason);
    ++config.server_count;
  }
  reader.copy(hints.userid.view(), config.userid);
  // Who names a SOCKS4A server among others wants names to be sent.
  if (hints.is_socks4 || hints.is_socks4a)
    config.dns = hints.is_socks4a ? Dns::remote : Dns::local;
}

// SOCKS4_SERVER, SOCKS_SERVER, or a general proxy variable. One of those that means another protocol is passed over for
// one that means SOCKS4; with nothing else to go by it is a mistake, because whoever set it does not expect direct
// connections. SOCKS_SERVER that is set and empty says that there is no server.
std::string_view server_text(Reader& reader) {
  if (const auto text = reader.first({"SOCKS4_SERVER", "SOCKS_SERVER"}); !text.empty() || reader.is_set("SOCKS_SERVER"))
    return text;
  for (const char* name : {"all_proxy", "ALL_PROXY"})
    if (const auto text = reader.first({name}); is_socks4_url(text))
      return text;
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
  reader.keep(session, config.session);
}

void read_log(Reader& reader, Config& config) {
  // Other socksifiers know levels above ours; they mean "all".
  config.debug = static_cast<int>(reader.number("SOCKS_DEBUG", 0, 0, 999999999, "not a number from 0 to 3"));
  const auto output = reader.first({"SOCKS_LOGOUTPUT"});
  if (output.empty() || output == "stderr")
    return;
  if (!output.starts_with('/'))
    return reader.reject("neither stderr nor an absolute path");
  reader.keep(output, config.log_file);
}

constinit Config of_process;
constinit std::atomic<bool> is_unread{true}; // not 0: it lies with what is read next

void read_environment() {
  parse_config([](const char* name) -> const char* { return environment::find(environ, name); }, of_process);
  is_unread.store(false, std::memory_order_release);
  if (of_process.debug > 0 || of_process.mistake.variable || of_process.leak == Leak::warn)
    remember_stderr();
  const Mistake& mistake = of_process.mistake;
  if (mistake.variable)
    print_line(FMT_COMPILE("{}={}: {}; connections are denied"), mistake.variable, mistake.value.view(),
               mistake.reason);
  if (!of_process.active)
    return;
  forks::watch();
  environment::save();
}

// Before the program's main, so that a mistake is told at once and the environment is still what the user
// gave.
__attribute__((constructor)) void at_load() {
  if (config().active)
    handover::read();
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
  reader.keep(reader.first({"no_proxy", "NO_PROXY"}), config.no_proxy);
}

const Config& config() {
  if (is_unread.load(std::memory_order_acquire)) [[unlikely]] {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (__libc_single_threaded)
      read_environment();
    else
      pthread_once(&once, read_environment);
  }
  return of_process;
}

std::string_view userid() {
  static constinit Text<socks4::max_userid + 1> login_name;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!config().userid.view().empty())
    return config().userid.view();
  pthread_once(&once, [] {
    char room[1024];
    passwd entry, *found = nullptr;
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) == 0 && found)
      login_name.append(FMT_COMPILE("{}"), std::string_view{found->pw_name});
  });
  return login_name.view();
}

} // namespace socksify
