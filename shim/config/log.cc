// SPDX-License-Identifier: MIT
#include "config/log.h"
#include "kernel/real.h"
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>

namespace socksify {
namespace {

struct Inode {
  dev_t device = 0;
  ino_t number = 0;
  bool operator==(const Inode&) const = default;
};

Inode inode_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? Inode{status.st_dev, status.st_ino} : Inode{};
}

// No line kills the program: not by SIGPIPE, when its reader has gone, and not by SIGXFSZ.
class NoSignals {
public:
  NoSignals() {
    sigemptyset(&m_signals);
    sigaddset(&m_signals, SIGPIPE);
    sigaddset(&m_signals, SIGXFSZ);
    sigpending(&m_pending_before);
    pthread_sigmask(SIG_BLOCK, &m_signals, &m_mask_before);
  }
  ~NoSignals() {
    for (const int signal : {SIGPIPE, SIGXFSZ})
      if (!sigismember(&m_pending_before, signal))
        discard(signal);
    pthread_sigmask(SIG_SETMASK, &m_mask_before, nullptr);
  }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

private:
  static void discard(int signal) {
    constexpr timespec at_once{};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    while (sigtimedwait(&one, nullptr, &at_once) < 0 && errno == EINTR)
      ;
  }

  sigset_t m_signals, m_pending_before, m_mask_before;
};

// Where everybody may create files, another user may have put a link in the file's place.
[[gnu::noinline]] bool is_in_sticky_folder(std::string_view path) {
  Text<1024> folder;
  folder.add({path.data(), path.rfind('/') + 1});
  struct stat status {};
  return stat(folder.c_str(), &status) != 0 || status.st_mode & S_ISVTX;
}

// O_NONBLOCK: it may be a FIFO that nobody reads.
Fd open_log(const char* path) {
  constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  Fd file{open(path, flags | O_NOFOLLOW, 0666)};
  if (!file && errno == ELOOP && !is_in_sticky_folder(path))
    file = Fd{open(path, flags, 0666)};
  return file;
}

// If the log cannot be written, the program is not disturbed.
void write_to(int fd, std::string_view line) {
  const NoSignals guard;
  char newline = '\n';
  const iovec parts[] = {{const_cast<char*>(line.data()), line.size()}, {&newline, 1}};
  [[maybe_unused]] const auto written = REAL(writev)(fd, parts, 2);
}

bool write_to_file(std::string_view line) {
  const char* const path = config().log_file.data();
  if (!path)
    return false;
  const Uninterrupted whole;
  const Fd file = open_log(path);
  if (file)
    write_to(file.get(), line);
  return bool{file};
}

// A program may close its stderr and open a file of its own as descriptor 2.
constinit Inode stderr_at_load;

} // namespace

std::string_view error_name(int error) {
  const char* name = strerrorname_np(error);
  return name ? name : "unknown error";
}

Text<32> program_name() {
  Text<32> name;
  for (const char* c = program_invocation_short_name; *c; ++c)
    name.add(static_cast<unsigned char>(*c) < ' ' ? '?' : *c);
  return name;
}

void remember_stderr() {
  KeepErrno keep;
  stderr_at_load = inode_of(STDERR_FILENO);
}

void write_to_stderr(std::string_view text) {
  const KeepErrno keep;
  const NoSignals guard;
  [[maybe_unused]] const auto written = REAL(write)(STDERR_FILENO, text.data(), text.size());
}

void write_line(std::string_view line) {
  KeepErrno keep;
  const NoCancellation whole;
  if (!write_to_file(line) && inode_of(STDERR_FILENO) == stderr_at_load)
    write_to(STDERR_FILENO, line);
}

void print_line(std::string_view format, std::span<const Field> fields) {
  Text<1024> line;
  line.add("socksify: ");
  line.append(format, fields);
  write_line(line.view());
}

void log_line(std::string_view format, std::span<const Field> fields) {
  KeepErrno keep;
  Text<1024> line;
  line.append("socksify: {}[{}]: ", program_name().view(), getpid());
  line.append(format, fields);
  write_line(line.view());
}

} // namespace socksify
