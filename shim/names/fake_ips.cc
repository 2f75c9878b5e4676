// SPDX-License-Identifier: MIT
#include "names/fake_ips.h"
#include "base/fd.h"
#include "base/format.h"
#include "names/own_fake_ips.h"
#include <ctime>
#include <sys/mman.h>

namespace socksify::names {
namespace {

// Those that processes share, and behind them those that a process has for itself when there is no file to share: an
// address of the one kind never has a name of the other. The first and the last address of the network are left out.
constexpr uint32_t private_capacity = 4096;
constexpr uint32_t shared_capacity = fake_ip::count - 2 - private_capacity;
constexpr uint32_t first_shared = fake_ip::network + 1;
constexpr uint32_t first_private = first_shared + shared_capacity;

constexpr int patience = 2000;     // milliseconds that a new name waits for its turn
constexpr int little_patience = 5; // what a look-up waits, only to note a use

// The best place first. None depends on the environment, which programs change before they start others; in the last
// two, another user may have been here first. One that has just failed may have the file all the same: addresses that
// it gave would be taken for addresses of the next one.
Store shared_store() {
  KeepErrno keep;
  if (const char* path = config().session.data())
    return Store::file(path);
  Text<64> path;
  const auto try_at = [&](const auto& format) {
    path.clear();
    path.append(format, geteuid());
    return Store::file(path.c_str());
  };
  if (Store store = try_at(FMT_COMPILE("/run/user/{}/socksify-names")); store || !is_absent(errno))
    return store;
  if (Store store = try_at(FMT_COMPILE("/dev/shm/socksify-{}-names")); store || !is_absent(errno))
    return store;
  return try_at(FMT_COMPILE("/tmp/socksify-{}-names"));
}

constinit std::atomic<Store::Memory*> private_memory{nullptr};

Store private_store(bool create) {
  KeepErrno keep;
  Store::Memory* start = private_memory.load(std::memory_order_acquire);
  const size_t size = NameMap::size(private_capacity);
  if (!start && create) {
    void* memory = mmap(nullptr, sizeof *start + size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return {};
    if (private_memory.compare_exchange_strong(start, static_cast<Store::Memory*>(memory)))
      start = static_cast<Store::Memory*>(memory);
    else
      munmap(memory, sizeof *start + size); // another thread was faster
  }
  return start ? Store::memory(start, size) : Store{};
}

// Where an empty store begins: elsewhere each time, so that an address that was given before the file was lost, or by a
// process that has no file, stands for no name rather than for another one.
uint32_t somewhere() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint32_t>(now.tv_nsec) * 0x9e3779b1 ^ static_cast<uint32_t>(now.tv_sec);
}

std::optional<uint32_t> number_in(Store store, uint32_t capacity, const Name& name) {
  if (!store || !store.lock(patience))
    return std::nullopt;
  return NameMap{store, capacity, somewhere()}.number_of(name.view());
}

std::optional<Name> name_in(Store store, uint32_t capacity, uint32_t number) {
  if (!store)
    return std::nullopt;
  const bool is_locked = store.lock(little_patience);
  NameMap map{store, capacity};
  const auto name = map.name_of(number);
  if (name && is_locked)
    map.touch(number);
  return name;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
// As in the C library, underscores are let through, and what is not ASCII is left to the server.
bool may_be_in_label(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_' || (c & 0x80); }

bool is_label(std::string_view label) {
  for (const char c : label)
    if (!may_be_in_label(c))
      return false;
  return !label.empty() && label.size() <= 63;
}

bool is_number(std::string_view label) {
  for (const char c : label)
    if (!is_digit(c))
      return false;
  return true;
}

bool is_name(std::string_view text) {
  for (;;) {
    const auto [label, rest, found] = split_at(text, text.find('.'));
    if (!is_label(label))
      return false;
    if (!found)
      return !is_number(label);
    text = rest;
  }
}

} // namespace

bool is_fake_ip(uint32_t ip) { return config().is_fake_ip(Ip::from(ip)); }

std::optional<Name> spelled(std::string_view text) {
  if (text.ends_with('.'))
    text.remove_suffix(1);
  if (text.size() > socks4::max_host || !is_name(text))
    return std::nullopt;
  Name name;
  for (const char c : text)
    name.append(FMT_COMPILE("{}"), c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c);
  return name;
}

std::optional<uint32_t> fake_ip_for(const Name& name) {
  if (const auto number = number_in(shared_store(), shared_capacity, name)) {
    recent::note(first_shared + *number, name);
    return first_shared + *number;
  }
  if (const auto number = number_in(private_store(true), private_capacity, name))
    return first_private + *number;
  return std::nullopt;
}

// What this process was told is what it means, whatever has become of the file.
std::optional<Name> find(uint32_t ip) {
  KeepErrno keep;
  auto name = ip >= first_private ? name_in(private_store(false), private_capacity, ip - first_private)
                                  : name_in(shared_store(), shared_capacity, ip - first_shared);
  if (const auto told = recent::find(ip))
    name = told;
  return name && spelled(name->view()) ? name : std::nullopt;
}

Shown shown(Endpoint endpoint) {
  Shown text;
  const auto name = is_fake_ip(endpoint.ip) ? find(endpoint.ip) : std::nullopt;
  if (name)
    text.append(FMT_COMPILE("{}:{}"), name->view(), endpoint.port);
  else
    text.append(FMT_COMPILE("{}"), to_text(endpoint).view());
  return text;
}

} // namespace socksify::names
