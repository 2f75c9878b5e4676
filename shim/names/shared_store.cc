// SPDX-License-Identifier: MIT
#include "names/shared_store.h"
#include "kernel/fork.h"
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace socksify {
namespace {

// In a directory that everybody may write, somebody else may have been here first.
bool is_ours_alone(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0)
    return false;
  const bool is_ours = S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1 &&
                       (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  errno = is_ours ? errno : EPERM;
  return is_ours;
}

} // namespace

// O_NONBLOCK: for a FIFO in its place.
Store Store::file(const char* path) {
  Store store;
  store.m_fd = Fd{open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, S_IRUSR | S_IWUSR)};
  if (store.m_fd && !is_ours_alone(store.m_fd.get()))
    store.m_fd.reset();
  return store;
}

Store Store::memory(Memory* start, size_t size) {
  Store store;
  store.m_memory = start;
  store.m_size = size;
  return store;
}

// 0 or an errno; EWOULDBLOCK: another one has it.
int Store::try_lock() {
  if (m_fd)
    return flock(m_fd.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  int holder = 0;
  const auto take = [&] {
    return m_memory->holder.compare_exchange_strong(holder, forks::own_pid(), std::memory_order_acquire);
  };
  if (take())
    return 0;
  const bool has_died = kill(holder, 0) != 0 && errno == ESRCH; // while it held it
  return has_died && take() ? 0 : EWOULDBLOCK;
}

bool Store::lock(int milliseconds) {
  constexpr int yields = 100;
  constexpr timespec nap{0, 1'000'000};
  KeepErrno keep;
  for (int attempt = 0;; ++attempt) {
    const int error = try_lock();
    m_is_locked = error == 0;
    if (m_is_locked || (error != EWOULDBLOCK && error != EINTR) || attempt >= yields + milliseconds)
      return m_is_locked;
    if (attempt < yields)
      sched_yield();
    else
      nanosleep(&nap, nullptr);
  }
}

// Said aloud, because a child that another thread has forked meanwhile has this descriptor, too.
void Store::unlock() {
  KeepErrno keep;
  if (!m_is_locked)
    return;
  if (m_fd)
    flock(m_fd.get(), LOCK_UN);
  else
    m_memory->holder.store(0, std::memory_order_release);
}

bool Store::read(size_t offset, void* bytes, size_t size) const {
  size_t got = 0;
  if (m_memory && offset + size <= m_size)
    std::memcpy(bytes, m_memory->bytes() + offset, got = size);
  ssize_t more = 0;
  while (m_fd && got < size) {
    more = pread(m_fd.get(), static_cast<char*>(bytes) + got, size - got, static_cast<off_t>(offset + got));
    if (more < 0 && errno == EINTR)
      continue;
    if (more <= 0)
      break;
    got += static_cast<size_t>(more);
  }
  std::memset(static_cast<char*>(bytes) + got, 0, size - got);
  return more >= 0;
}

bool Store::write(size_t offset, const void* bytes, size_t size) {
  if (m_memory) {
    if (offset + size > m_size)
      return false;
    std::memcpy(m_memory->bytes() + offset, bytes, size);
    return true;
  }
  // Beyond this limit, writing is a signal that ends the program.
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < offset + size)
    return false;
  for (size_t done = 0; done < size;) {
    const ssize_t more =
        pwrite(m_fd.get(), static_cast<const char*>(bytes) + done, size - done, static_cast<off_t>(offset + done));
    if (more == 0 || (more < 0 && errno != EINTR))
      return false;
    done += more > 0 ? static_cast<size_t>(more) : 0;
  }
  return true;
}

} // namespace socksify
