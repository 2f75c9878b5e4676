// SPDX-License-Identifier: MIT
// The servers of the other threads, each with its own loop.
#pragma once
#include "socks4d/server.h"
#include <memory>
#include <thread>
#include <vector>

namespace socks4d {

class Workers {
public:
  Workers(Shared& shared, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      m_workers.push_back(std::make_unique<Worker>(shared));
  }
  // Stops all loops before it waits for the first thread.
  ~Workers() {
    for (auto& worker : m_workers)
      worker->loop.stop();
    for (auto& worker : m_workers)
      worker->thread.join();
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

private:
  struct Worker {
    explicit Worker(Shared& shared) : server(loop, shared), thread([this] { loop.run(); }) {}
    Loop loop;
    Server server;
    std::thread thread;
  };
  std::vector<std::unique_ptr<Worker>> m_workers;
};

} // namespace socks4d
