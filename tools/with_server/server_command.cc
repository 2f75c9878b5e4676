// SPDX-License-Identifier: MIT
#include "with_server/server_command.h"
#include <cstdlib>
#include <sstream>

namespace with_server {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(word);
  return words;
}

// SOCKSIFY_SSH may name another ssh, and options for it.
std::vector<std::string> ssh_command() {
  const char* const ssh = std::getenv("SOCKSIFY_SSH");
  auto words = words_of(ssh ? ssh : "");
  if (words.empty())
    words.push_back("ssh");
  return words;
}

// ssh runs LocalCommand "after successfully connecting to the server": its forwardings are set up by then.
constexpr const char* ssh_options[] = {"-N", "-T",
                                       "-x", "-a",
                                       "-S", "none",
                                       "-o", "ControlMaster=no",
                                       "-o", "ExitOnForwardFailure=yes",
                                       "-o", "PermitLocalCommand=yes",
                                       "-o", "LocalCommand=echo socksify: ready",
                                       "-o", "LogLevel=ERROR",
                                       "-o", "ConnectTimeout=60",
                                       "-o", "ForkAfterAuthentication=no"};

} // namespace

ServerCommand local_server(const std::string& socks4d) {
  return {{socks4d, "--listen", "127.0.0.1:0"}, "--local", "listening on ", false};
}

ServerCommand ssh_server(const std::string& gateway, const std::string& address) {
  auto words = ssh_command();
  words.insert(words.end(), std::begin(ssh_options), std::end(ssh_options));
  for (const auto& word : {std::string("-D"), address, std::string("--"), gateway})
    words.push_back(word);
  return {words, "--ssh " + gateway, "socksify: ready", true};
}

} // namespace with_server
