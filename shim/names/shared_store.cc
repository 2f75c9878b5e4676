// SPDX-License-Identifier: MIT
#include "names/shared_store.h"
#include "kernel/real.h"
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace socksify {
namespace {

// In a directory that is open to everybody, another user may have created the file.
bool is_ours_alone(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0)
    return false;
  const bool is_ours = S_ISREG(status.st_mode) && status.st_uid == geteuid() && status.st_nlink == 1 &&
                       (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  errno = is_ours ? errno : EPERM;
  return is_ours;
}

// 0 or an errno; EAGAIN if somebody else has the lock. A lock of the open file, not of the process.
int lock_file(int fd, short type) {
  struct flock all {};
  all.l_type = type;
  all.l_whence = SEEK_SET;
  return fcntl(fd, F_OFD_SETLK, &all) == 0 ? 0 : errno;
}

} // namespace

// O_NONBLOCK: it may be a FIFO.
SharedStore SharedStore::file(const char* path, Use use) {
  SharedStore store;
  const int creates = use == Use::create ? O_CREAT : 0;
  store.m_fd = Fd{open(path, creates | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, S_IRUSR | S_IWUSR)};
  if (store.m_fd && !is_ours_alone(store.m_fd.get()))
    store.m_fd.reset();
  return store;
}

SharedStore SharedStore::memory(Memory* start, size_t size) {
  SharedStore store;
  store.m_memory = start;
  store.m_size = size;
  return store;
}

bool SharedStore::may_be_initialized() const {
  struct stat status {};
  return m_memory || (fstat(m_fd.get(), &status) == 0 && status.st_size == 0);
}

// 0 or an errno; EAGAIN if somebody else has the lock.
int SharedStore::try_lock() {
  if (m_fd)
    return lock_file(m_fd.get(), F_WRLCK);
  return m_memory->lock.try_lock() ? 0 : EAGAIN;
}

bool SharedStore::lock(int milliseconds) {
  constexpr int yields = 100;
  constexpr timespec nap{0, 1'000'000};
  KeepErrno keep;
  for (int attempt = 0;; ++attempt) {
    const int error = try_lock();
    m_is_locked = error == 0;
    if (m_is_locked || (error != EAGAIN && error != EINTR) || attempt >= yields + milliseconds)
      return m_is_locked;
    if (attempt < yields)
      sched_yield();
    else
      nanosleep(&nap, nullptr);
  }
}

// Explicit, because closing the descriptor is not enough: a child forked meanwhile by another thread has it, too.
void SharedStore::unlock() {
  KeepErrno keep;
  if (!m_is_locked)
    return;
  if (m_fd)
    lock_file(m_fd.get(), F_UNLCK);
  else
    m_memory->lock.unlock();
}

bool SharedStore::read(size_t offset, void* bytes, size_t size) const {
  size_t got = 0;
  const bool is_read = m_fd ? read_file(offset, bytes, size, got) : read_memory(offset, bytes, size, got);
  std::memset(static_cast<char*>(bytes) + got, 0, size - got);
  return is_read;
}

bool SharedStore::read_memory(size_t offset, void* bytes, size_t size, size_t& got) const {
  if (m_memory && offset + size <= m_size)
    std::memcpy(bytes, m_memory->bytes() + offset, got = size);
  return true;
}

bool SharedStore::read_file(size_t offset, void* bytes, size_t size, size_t& got) const {
  if (lseek(m_fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    return false;
  while (got < size) {
    const ssize_t more = REAL(read)(m_fd.get(), static_cast<char*>(bytes) + got, size - got);
    if (more < 0 && errno == EINTR)
      continue;
    if (more <= 0)
      return more == 0;
    got += static_cast<size_t>(more);
  }
  return true;
}

bool SharedStore::write(size_t offset, const void* bytes, size_t size) {
  return m_memory ? write_memory(offset, bytes, size) : write_file(offset, bytes, size);
}

bool SharedStore::write_memory(size_t offset, const void* bytes, size_t size) {
  if (offset + size > m_size)
    return false;
  std::memcpy(m_memory->bytes() + offset, bytes, size);
  return true;
}

bool SharedStore::write_file(size_t offset, const void* bytes, size_t size) {
  // A write beyond this limit raises SIGXFSZ, which ends the program.
  rlimit limit{};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur < offset + size)
    return false;
  if (lseek(m_fd.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    return false;
  for (size_t done = 0; done < size;) {
    const ssize_t more = REAL(write)(m_fd.get(), static_cast<const char*>(bytes) + done, size - done);
    if (more == 0 || (more < 0 && errno != EINTR))
      return false;
    done += more > 0 ? static_cast<size_t>(more) : 0;
  }
  return true;
}

} // namespace socksify
