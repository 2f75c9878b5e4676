// SPDX-License-Identifier: MIT
// Removes the entries of closed sockets from a map: close() is not hooked.
#pragma once
#include "base/fd.h"
#include "kernel/cookie_map.h"
#include "sockets/identity.h"
#include "sockets/open_fds.h"

namespace socksify::sockets {

// Calls keep_keys_of(identity) for every open socket, which calls map.keep(key) for its entries, and forgotten(key,
// value) for every entry that is then removed. Does nothing while another thread sweeps this map.
template <typename KeepKeysOf, typename Forgotten>
void sweep(CookieMap& map, KeepKeysOf keep_keys_of, Forgotten forgotten) {
  KeepErrno keep;
  const Uninterrupted whole;
  if (!map.begin_sweep())
    return;
  size_t looked_at = 0;
  for_each_open_fd([&](int fd) {
    ++looked_at;
    if (const Identity socket = identity(fd))
      keep_keys_of(socket);
  });
  map.end_sweep(looked_at, forgotten);
}

} // namespace socksify::sockets
