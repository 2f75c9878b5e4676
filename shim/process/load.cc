// SPDX-License-Identifier: MIT
// The configuration of this process, from its environment, for as long as it lives.
#include "base/format.h"
#include "config/config.h"
#include "config/log.h"
#include "kernel/fork.h"
#include "process/environment.h"
#include "process/exec_state.h"
#include <atomic>
#include <cstring>
#include <pthread.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <unistd.h>

namespace socksify {
namespace {

constinit Config of_process;
constinit std::atomic<bool> is_unread{true}; // not 0: it lies with what is read next

// The program may change its environment, and free it.
void keep(std::string_view& text, const char* variable) {
  if (text.empty())
    return;
  void* memory = mmap(nullptr, text.size() + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED)
    std::memcpy(memory, text.data(), text.size());
  else if (!of_process.mistake.variable)
    of_process.mistake = {variable, {}, "no memory for it"};
  text = {memory != MAP_FAILED ? static_cast<const char*>(memory) : "", memory != MAP_FAILED ? text.size() : 0};
}

void read_environment() {
  parse_config([](const char* name) -> const char* { return environment::find(environ, name); }, of_process);
  keep(of_process.session, "SOCKSIFY_SESSION");
  keep(of_process.log_file, "SOCKS_LOGOUTPUT");
  keep(of_process.no_proxy, "no_proxy");
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
    exec_state::read();
}

} // namespace

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
  static constinit std::atomic<bool> is_known{false};
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!config().userid.view().empty())
    return config().userid.view();
  if (is_known.load(std::memory_order_acquire))
    return login_name.view();
  const forks::LookUp now; // until it is done for a child as well
  pthread_once(&once, [] {
    char room[1024];
    passwd entry, *found = nullptr;
    if (getpwuid_r(getuid(), &entry, room, sizeof room, &found) == 0 && found)
      login_name.append(FMT_COMPILE("{}"), std::string_view{found->pw_name});
  });
  is_known.store(true, std::memory_order_release);
  return login_name.view();
}

} // namespace socksify
