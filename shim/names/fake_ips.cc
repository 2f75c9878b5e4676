// SPDX-License-Identifier: MIT
#include "names/fake_ips.h"
#include "base/fd.h"
#include "config/log.h"
#include "kernel/mapping.h"
#include "kernel/uninterrupted.h"
#include "names/own_fake_ips.h"
#include <ctime>

namespace socksify::fake_ips {
namespace {

// The network is divided: first the addresses that processes share through a file, then those that a process without a
// file has for itself, so that an address of one kind never has a name of the other. The first and the last address of
// the network are left out.
constexpr uint32_t private_capacity = 4096;
constexpr uint32_t shared_capacity = fake_ip::count - 2 - private_capacity;
constexpr uint32_t first_shared = fake_ip::network + 1;
constexpr uint32_t first_private = first_shared + shared_capacity;

// Milliseconds to wait for the lock.
constexpr int new_name_wait = 2000;
constexpr int touch_wait = 5; // a look-up only records that the name is in use

// The best place first. None depends on the environment, because programs change it before they start others. The last
// two directories are open to all users. Falls through only if the file cannot exist: after a failure that may pass,
// the next place would give the same addresses to other names.
SharedStore shared_store(SharedStore::Use use = SharedStore::Use::create) {
  KeepErrno keep;
  if (const char* path = config().session.data())
    return SharedStore::file(path, use);
  Text<64> path;
  const auto try_at = [&](Format<uid_t> format) {
    path.clear();
    path.append(format, geteuid());
    return SharedStore::file(path.c_str(), use);
  };
  if (SharedStore store = try_at("/run/user/{}/socksify-names"); store || !is_absent(errno))
    return store;
  if (SharedStore store = try_at("/dev/shm/socksify-{}-names"); store || !is_absent(errno))
    return store;
  return try_at("/tmp/socksify-{}-names");
}

// For a process without a file, and its children.
SharedStore private_store(bool create) {
  static constinit std::atomic<SharedStore::Memory*> memory{nullptr};
  KeepErrno keep;
  const size_t size = NameMap::size(private_capacity);
  SharedStore::Memory* start =
      create ? publish_mapping(memory, sizeof *start + size, MAP_SHARED) : memory.load(std::memory_order_acquire);
  return start ? SharedStore::memory(start, size) : SharedStore{};
}

// The number at which an empty store begins: a different one each time. An address that was given before the file was
// lost, or by a process without a file, then most likely stands for no name rather than for another one.
uint32_t random_start() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint32_t>(now.tv_nsec) * 0x9e3779b1 ^ static_cast<uint32_t>(now.tv_sec);
}

std::optional<uint32_t> number_in(SharedStore store, uint32_t capacity, const Name& name) {
  if (!store || !store.lock(new_name_wait))
    return std::nullopt;
  NameMap map{store, capacity, random_start()};
  const auto number = map.number_of(name.view());
  if (!number && map.is_foreign())
    log(1, "the file for fake IPs has other contents, and is left alone: see SOCKSIFY_SESSION");
  return number;
}

std::optional<Name> name_in(SharedStore store, uint32_t capacity, uint32_t number) {
  if (!store)
    return std::nullopt;
  const bool is_locked = store.lock(touch_wait);
  NameMap map{store, capacity};
  const auto name = map.name_of(number);
  if (name && is_locked)
    map.touch(number);
  return name;
}

} // namespace

bool is_fake_ip(uint32_t ip) { return config().is_fake_ip(Ip::from(ip)); }

std::optional<uint32_t> ip_for(const Name& name) {
  const Uninterrupted whole;
  if (const auto number = number_in(shared_store(), shared_capacity, name)) {
    // Without memory for it the program is to try again: the file alone may be gone when it connects.
    if (!own_fake_ips::remember(first_shared + *number, name))
      return std::nullopt;
    return first_shared + *number;
  }
  if (const auto number = number_in(private_store(true), private_capacity, name))
    return first_private + *number;
  return std::nullopt;
}

// What this process was given takes precedence over the file, which other processes write and anybody may remove, and
// which a sandbox may not let it open any more.
std::optional<Name> name_of(uint32_t ip) {
  KeepErrno keep;
  if (const auto own = own_fake_ips::name_of(ip))
    return own;
  const Uninterrupted whole;
  const auto name = ip >= first_private ? name_in(private_store(false), private_capacity, ip - first_private)
                                        : name_in(shared_store(), shared_capacity, ip - first_shared);
  return name && host_name::normalized(name->view()) ? name : std::nullopt;
}

Shown shown(Endpoint endpoint) {
  Shown text;
  const auto name = is_fake_ip(endpoint.ip) ? name_of(endpoint.ip) : std::nullopt;
  if (name)
    text.append("{}:{}", name->view(), endpoint.port);
  else
    text.add(to_text(endpoint).view());
  return text;
}

uint32_t local_dns_silent_since() {
  SharedStore store = shared_store(SharedStore::Use::existing);
  return store ? NameMap{store, shared_capacity}.mark() : 0;
}

void record_silent_local_dns(uint32_t when) {
  SharedStore store = shared_store();
  if (store && store.lock(new_name_wait))
    NameMap{store, shared_capacity, random_start()}.set_mark(when);
}

} // namespace socksify::fake_ips
