// SPDX-License-Identifier: MIT
// with-server local SOCKS4D | ssh GATEWAY  PRELOAD PATH COMMAND [ARG...]
//
// Starts a SOCKS server on loopback that stops when this process exits, names it in SOCKS_SERVER, and executes the
// program at PATH as COMMAND. LD_PRELOAD becomes PRELOAD, or is unset if that is empty. Because the command replaces
// this process, it has the process id, the parent, the terminal, the signals and the exit status that it would have
// without a server.
#include "with_server/reserved_port.h"
#include "with_server/start.h"
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string_view>

namespace with_server {
namespace {

// The last word of "listening on ADDRESS:PORT", without anything that may follow it.
std::string address_in(const std::string& line) {
  const size_t begin = line.rfind(' ') + 1;
  return line.substr(begin, line.find_first_not_of("0123456789.:", begin) - begin);
}

// Returns the server's address.
std::string start(std::string_view kind, const std::string& argument) {
  if (kind == "local")
    return address_in(start_server(local_server(argument)));
  const ReservedPort port;
  start_server(ssh_server(argument, port.text()));
  return port.text();
}

void set_environment(const std::string& server, const char* preload) {
  ::setenv("SOCKSIFY_SERVER", server.c_str(), true);
  ::unsetenv("SOCKS_SERVER");
  ::unsetenv("SOCKS4_SERVER");
  ::unsetenv("LD_PRELOAD");
  if (*preload)
    ::setenv("LD_PRELOAD", preload, true);
}

int run(char** arguments) {
  set_environment(start(arguments[1], arguments[2]), arguments[3]);
  ::execvp(arguments[4], arguments + 5); // not execv(2): it also runs scripts without a #! line; the path has a slash
  const int error = errno;
  fmt::print(stderr, "socksify: {}: {}\n", arguments[4], std::strerror(error));
  return error == ENOENT ? 127 : 126;
}

} // namespace
} // namespace with_server

int main(int argc, char** argv) try {
  if (argc < 6)
    throw std::runtime_error("with-server: missing arguments");
  return with_server::run(argv);
} catch (const std::exception& error) {
  fmt::print(stderr, "socksify: {}\n", error.what());
  return 125;
}
