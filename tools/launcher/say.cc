// SPDX-License-Identifier: MIT
#include "launcher/say.h"
#include "launcher/kernel.h"
#include <cerrno>
#include <unistd.h>

namespace socksify::launcher {
namespace {

constinit Teller tell = nullptr;

[[noreturn]] void end(int status) {
  for (;;)
    kernel::call(__NR_exit_group, status);
}

// False if it cannot be written.
bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const long written = kernel::call(__NR_write, fd, text.data(), text.size());
    if (written < 0 && written != -EINTR)
      return false;
    if (written > 0)
      text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

} // namespace

void fail(Status status, Parts reason) {
  const char* const text = join(reason);
  if (tell)
    tell(text);
  write_all(STDERR_FILENO, join({"socksify: ", text, "\n"}));
  end(status);
}

void fail(std::string_view where, const Complaint& complaint) {
  const auto& parts = complaint.parts;
  fail(our_failure, {where, parts[0], parts[1], parts[2], parts[3], parts[4]});
}

void out_of_memory() {
  write_all(STDERR_FILENO, "socksify: no memory\n");
  end(our_failure);
}

void tell_failures_by(Teller teller) { tell = teller; }

void print_and_end(std::string_view text) {
  if (!write_all(STDOUT_FILENO, text))
    fail(our_failure, {"stdout: cannot be written"});
  end(0);
}

} // namespace socksify::launcher
