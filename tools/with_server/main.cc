// SPDX-License-Identifier: MIT
// with-server local SOCKS4D | ssh GATEWAY  PRELOAD PATH COMMAND [ARG...]: starts a SOCKS server on loopback that ends
// with this process, names it in SOCKS_SERVER and becomes COMMAND, which is the program at PATH, with
// LD_PRELOAD=PRELOAD, or none if that is empty. So the command has the process id, the parent, the terminal, the
// signals and the exit status that it would have without a server.
#include "base/address.h"
#include "common/system_call.h"
#include "with_server/watcher.h"
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <stdexcept>
#include <string_view>

namespace socksify {
namespace {

ServerCommand local_server(const std::string& socks4d) {
  return {{socks4d, "--listen", "127.0.0.1:0"}, "--local", "listening on ", false};
}

// "listening on ADDRESS:PORT", and what may follow it.
std::string address_in(const std::string& line) {
  const size_t begin = line.rfind(' ') + 1;
  return line.substr(begin, line.find_first_not_of("0123456789.:", begin) - begin);
}

// A port of loopback that nobody else is given as long as this is there, as ssh -D takes no port 0. That ssh can listen
// on it all the same is SO_REUSEADDR's doing: it counts while neither socket, or only one of them, listens.
class ReservedPort {
public:
  ReservedPort() : m_fd(check("socket", ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))) {
    const int on = 1;
    check("setsockopt", ::setsockopt(m_fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    SocketAddress address(Endpoint{INADDR_LOOPBACK, 0}, AF_INET);
    check("bind", ::bind(m_fd.get(), address.get(), address.length));
    check("getsockname", ::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address.storage), &address.length));
    m_endpoint = IpPort::from(address.get(), address.length)->endpoint();
  }
  std::string text() const { return to_text(m_endpoint).c_str(); }

private:
  Fd m_fd;
  Endpoint m_endpoint;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end != 0)
      words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

// ssh runs LocalCommand "after successfully connecting to the server", when its forwardings are set up.
ServerCommand ssh_server(const std::string& gateway, const std::string& address) {
  const char* const ssh = std::getenv("SOCKSIFY_SSH");
  auto words = words_of(ssh ? ssh : "");
  if (words.empty())
    words.push_back("ssh");
  for (const char* word : {"-N", "-T",
                           "-x", "-a",
                           "-S", "none",
                           "-o", "ControlMaster=no",
                           "-o", "ExitOnForwardFailure=yes",
                           "-o", "PermitLocalCommand=yes",
                           "-o", "LocalCommand=echo socksify: ready",
                           "-o", "LogLevel=ERROR",
                           "-o", "ConnectTimeout=60",
                           "-o", "ForkAfterAuthentication=no",
                           "-D"})
    words.push_back(word);
  for (const auto& word : {address, std::string("--"), gateway})
    words.push_back(word);
  return {words, "--ssh " + gateway, "socksify: ready", true};
}

std::string start(std::string_view kind, const std::string& argument) {
  if (kind == "local")
    return address_in(start_watched(local_server(argument)));
  const ReservedPort port;
  start_watched(ssh_server(argument, port.text()));
  return port.text();
}

int run(char** arguments) {
  const auto server = start(arguments[1], arguments[2]);
  ::setenv("SOCKS_SERVER", server.c_str(), true);
  ::unsetenv("SOCKS4_SERVER");
  ::unsetenv("LD_PRELOAD");
  if (*arguments[3])
    ::setenv("LD_PRELOAD", arguments[3], true);
  ::execvp(arguments[4], arguments + 5); // for a script without a first line, too; the path has a slash in it
  const int error = errno;
  fmt::print(stderr, "socksify: {}: {}\n", arguments[4], std::strerror(error));
  return error == ENOENT ? 127 : 126;
}

} // namespace
} // namespace socksify

int main(int argc, char** argv) try {
  if (argc < 6)
    throw std::runtime_error("with-server: arguments are missing");
  return socksify::run(argv);
} catch (const std::exception& error) {
  fmt::print(stderr, "socksify: {}\n", error.what());
  return 125;
}
