// SPDX-License-Identifier: MIT
#include "config.h"
#include "forks.h"
#include "format.h"
#include "log.h"
#include "real.h"
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <strings.h>
#include <sys/mman.h>
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

bool has_scheme(std::string_view url, std::string_view scheme) {
  return url.size() > scheme.size() && strncasecmp(url.data(), scheme.data(), scheme.size()) == 0;
}

bool is_socks4_url(std::string_view url) { return has_scheme(url, "socks4://") || has_scheme(url, "socks4a://"); }

bool is_host(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  };
  for (char c : host)
    if (!allowed(c))
      return false;
  return !host.empty();
}

// host[:port] or socks4[a]://[user@]host[:port][/]
void read_server(Reader& reader, std::string_view text, Config& config) {
  if (const size_t scheme = text.find("://"); scheme != text.npos) {
    if (!is_socks4_url(text))
      return reader.reject("SOCKS4 only: the scheme has to be socks4:// or socks4a://");
    config.dns = has_scheme(text, "socks4a://") ? Dns::remote : Dns::local;
    text.remove_prefix(scheme + 3);
    if (text.ends_with('/'))
      text.remove_suffix(1);
    if (const auto [userid, rest, found] = split_at(text, text.rfind('@')); found) {
      reader.copy(userid, config.userid);
      text = rest;
    }
  }
  if (text.starts_with('['))
    return reader.reject("an IPv6 address: SOCKS4 servers are reached by IPv4");
  const auto [host, port_text, has_port] = split_at(text, text.find(':'));
  if (has_port) {
    const auto port = parse_number(port_text, 1, 65535);
    if (!port)
      return reader.reject("the port has to be a number from 1 to 65535");
    config.server.port = static_cast<uint16_t>(*port);
  }
  if (!is_host(host))
    return reader.reject("not host[:port] nor socks4://[user@]host[:port]");
  reader.copy(host, config.server.host);
}

// SOCKS4_SERVER, SOCKS_SERVER, or a general proxy variable if it means SOCKS4.
std::string_view server_text(Reader& reader) {
  if (const auto text = reader.first({"SOCKS4_SERVER", "SOCKS_SERVER"}); !text.empty())
    return text;
  for (const char* name : {"all_proxy", "ALL_PROXY"})
    if (const auto text = reader.first({name}); is_socks4_url(text))
      return text;
  return {};
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
constinit std::atomic<bool> is_read{false};

void read_environment() {
  parse_config([](const char* name) -> const char* { return getenv(name); }, of_process);
  is_read.store(true, std::memory_order_release);
  if (of_process.debug > 0 || of_process.mistake.variable || of_process.leak == Leak::warn)
    remember_stderr();
  const Mistake& mistake = of_process.mistake;
  if (mistake.variable)
    print_line(FMT_COMPILE("{}={}: {}; connections are denied"), mistake.variable, mistake.value.view(),
               mistake.reason);
  if (of_process.active)
    forks::watch();
}

// Before the program's main, so that a mistake is told at once and the environment is still what the user
// gave.
__attribute__((constructor)) void at_load() { config(); }

std::optional<uint32_t> resolve(const char* host) {
  addrinfo hints{}, *list = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (REAL(getaddrinfo)(host, nullptr, &hints, &list) != 0 || !list)
    return std::nullopt;
  const auto found = IpPort::from(list->ai_addr, list->ai_addrlen);
  freeaddrinfo(list);
  if (!found)
    return std::nullopt;
  return found->ip.ipv4();
}

} // namespace

void parse_config(Lookup lookup, Config& config) {
  Reader reader{lookup, config.mistake};
  const auto server = server_text(reader);
  if (server.empty())
    return;
  config.active = true;
  read_server(reader, server, config);
  read_userid(reader, config);
  config.timeout =
      reader.number("SOCKSIFY_TIMEOUT", config.timeout, 1, 86400, "not a number of seconds from 1 to 86400");
  config.bind = reader.choice("SOCKSIFY_BIND", "auto", "off", true, "neither auto nor off");
  config.proxy_loopback = reader.choice("SOCKSIFY_LOOPBACK", "proxy", "direct", false, "neither proxy nor direct");
  read_names(reader, config);
  read_log(reader, config);
  reader.keep(reader.first({"no_proxy", "NO_PROXY"}), config.no_proxy);
}

const Config& config() {
  if (!is_read.load(std::memory_order_acquire)) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
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

std::optional<Endpoint> server_endpoint() {
  static constinit std::atomic<uint32_t> known{0};
  const Server& server = config().server;
  if (known.load(std::memory_order_relaxed) == 0) {
    auto ip = parse_ipv4(server.host.view());
    if (!ip)
      ip = resolve(server.host.c_str());
    if (!ip || *ip == 0)
      return std::nullopt;
    known.store(*ip, std::memory_order_relaxed);
  }
  return Endpoint{known.load(std::memory_order_relaxed), server.port};
}

} // namespace socksify
