// SPDX-License-Identifier: MIT
// The process that runs the server, and stops it when the client has exited.
#pragma once
#include "with_server/pipe.h"
#include "with_server/server_command.h"
#include <string_view>
#include <sys/types.h>

namespace with_server {

// A pidfd: readable once the process has exited. Throws Failure.
socksify::Fd open_process(pid_t pid);

// The watcher reports one line to the client: one of these words, and the server's last line.
inline constexpr std::string_view ready = "ready ", failed = "failed ";

class Watcher {
public:
  // `client` is a pidfd, `report` the writing end of a pipe.
  Watcher(const ServerCommand& command, socksify::Fd client, socksify::Fd report)
      : m_command(command), m_client(std::move(client)), m_report(std::move(report)) {}

  // Returns when both the client and the server have exited, or the server alone.
  void run();

private:
  void detach();
  [[noreturn]] void become_server(int output);
  bool wait_for_client(int output);
  void heard(std::string line);
  void report(std::string_view result, const std::string& line);
  void report_exit();
  void stop_server();

  const ServerCommand& m_command;
  socksify::Fd m_client, m_report;
  pid_t m_server = -1;
  std::string m_last_line; // of the server's output
};

} // namespace with_server
