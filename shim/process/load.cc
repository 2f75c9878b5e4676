// SPDX-License-Identifier: MIT
// Loads the configuration of this process from its environment.
#include "base/no_proxy_list.h"
#include "calls/datagrams.h"
#include "config/config.h"
#include "config/log.h"
#include "kernel/fork.h"
#include "kernel/mapping.h"
#include "process/environment.h"
#include "process/exec_state.h"
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <pthread.h>
#include <pwd.h>
#include <sys/auxv.h>
#include <sys/single_threaded.h>
#include <unistd.h>

namespace socksify {
namespace {

constinit struct {
  Config config;
  std::atomic<bool> is_loaded{false};
} process;

// Copies the text: the program may change its environment and free the old one.
void keep(std::string_view& text, const char* variable) {
  if (text.empty())
    return;
  void* memory = map_memory(text.size() + 1); // zeroed: the copy is terminated
  if (memory)
    std::memcpy(memory, text.data(), text.size());
  else if (!process.config.mistake.variable)
    process.config.mistake = {variable, {}, "out of memory"};
  text = memory ? std::string_view{static_cast<const char*>(memory), text.size()} : "";
}

// By curl's rules such an entry is no mistake, but hardly what the user meant.
void log_dead_entries(std::string_view no_proxy) {
  while (!no_proxy.empty())
    if (const auto entry = next_dead_entry(no_proxy); !entry.empty())
      log(1, "NO_PROXY: '{}' matches nothing: {}", entry, why_dead(entry));
}

// In a set-user-ID program, which loads the library only by /etc/ld.so.preload, the environment is another user's. It
// may say where to connect, but no file that it names is opened with this user's rights.
void open_no_files(Config& config) {
  config.debug = 0;
  config.log_file = {};
  config.session = "/nonexistent";
}

void read_environment() {
  parse_config([](const char* name) -> const char* { return getenv(name); }, process.config);
  if (getauxval(AT_SECURE))
    open_no_files(process.config);
  keep(process.config.session, "SOCKSIFY_SESSION");
  keep(process.config.log_file, "SOCKS_LOGOUTPUT");
  keep(process.config.no_proxy, "no_proxy");
  process.is_loaded.store(true, std::memory_order_release);
  if (process.config.debug > 0 || process.config.mistake.variable || process.config.leak == Leak::warn)
    remember_stderr();
  const Mistake& mistake = process.config.mistake;
  if (mistake.variable)
    print_line("{}={}: {}; connections are denied", mistake.variable, mistake.value.view(), mistake.reason);
  if (!process.config.active)
    return;
  if (is_logged(1))
    log_dead_entries(process.config.no_proxy);
  datagrams::watches_peers.store(process.config.leak != Leak::allow, std::memory_order_relaxed);
  forks::watch();
  environment::save();
}

using LoginName = Text<socks4::max_userid + 1>;
constinit std::atomic<const LoginName*> login_name{nullptr}; // null: not looked up yet

void look_up(LoginName& name) {
  const forks::LookupGuard guard;
  char buffer[1024];
  passwd entry, *found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found)
    name.add(std::string_view{found->pw_name});
}

// Several threads may have looked it up at the same time, because none waits for another: a look-up may be left. Null
// if there is no memory.
const LoginName* publish(const LoginName& name) {
  const Uninterrupted whole;
  void* const memory = map_memory(sizeof name);
  const LoginName* const mine = memory ? new (memory) LoginName{name} : nullptr;
  const LoginName* known = nullptr;
  if (!mine || login_name.compare_exchange_strong(known, mine, std::memory_order_acq_rel))
    return mine;
  munmap(memory, sizeof name);
  return known;
}

// Runs before main(), so that a mistake is reported at once and the environment is still the user's.
__attribute__((constructor)) void at_load() {
  if (config().active)
    exec_state::read();
}

} // namespace

const Config& config() {
  if (!process.is_loaded.load(std::memory_order_acquire)) [[unlikely]] {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (__libc_single_threaded)
      read_environment();
    else
      pthread_once(&once, read_environment);
  }
  return process.config;
}

bool is_active() { return config().active && !forks::is_module_calling(); }

// Empty if a signal handler asks in the middle of a look-up.
std::string_view userid() {
  if (!config().userid.view().empty())
    return config().userid.view();
  if (const LoginName* known = login_name.load(std::memory_order_acquire))
    return known->view();
  if (forks::is_looking_up())
    return {};
  LoginName name;
  look_up(name);
  const LoginName* const known = publish(name);
  return known ? known->view() : std::string_view{};
}

} // namespace socksify
