// SPDX-License-Identifier: MIT
// Steps that wait: poll, select and epoll in all their forms.
#include "calls.h"
#include "player.h"
#include "text.h"
#include <algorithm>
#include <cerrno>
#include <mutex>
#include <poll.h>
#include <set>
#include <sys/epoll.h>
#include <sys/select.h>
#include <thread>
#include <unistd.h>

namespace differential {
namespace {

// The words "S:IN|OUT", beginning at the index.
struct Asked {
  std::string name;
  pollfd fd;
};

std::vector<Asked> questions(const Words& words, size_t first) {
  std::vector<Asked> all;
  for (; first < words.size(); ++first) {
    const auto colon = words[first].find(':');
    const std::string name = words[first].substr(0, colon);
    const std::string events = colon == std::string::npos ? "" : words[first].substr(colon + 1);
    all.push_back({name, {slot(name).fd, static_cast<short>(events_of(events)), 0}});
  }
  return all;
}

timespec as_timespec(int milliseconds) { return {milliseconds / 1000, milliseconds % 1000 * 1'000'000L}; }

// poll|ppoll MILLISECONDS S:EVENTS...
std::string poll_step(const Words& words) {
  const auto asked = questions(words, 2);
  std::vector<pollfd> fds;
  for (const Asked& one : asked)
    fds.push_back(one.fd);
  const timespec limit = as_timespec(number(words, 1));
  before_call();
  std::string said = result(words[0] == "poll" ? calls::poll(fds.data(), fds.size(), number(words, 1))
                                               : calls::ppoll(fds.data(), fds.size(), limit));
  for (size_t i = 0; i < fds.size(); ++i)
    said += " " + asked[i].name + ":" + events_text(static_cast<unsigned short>(fds[i].revents));
  return said;
}

struct Sets {
  fd_set readable, writable, exceptional;
};

Sets sets_of(const std::vector<Asked>& asked, int& count) {
  Sets sets{};
  count = 0;
  for (const auto& [name, fd] : asked) {
    if (fd.fd < 0)
      continue;
    count = std::max(count, fd.fd + 1);
    if (fd.events & POLLIN)
      FD_SET(fd.fd, &sets.readable);
    if (fd.events & POLLOUT)
      FD_SET(fd.fd, &sets.writable);
    if (fd.events & POLLPRI)
      FD_SET(fd.fd, &sets.exceptional);
  }
  return sets;
}

// select|pselect MILLISECONDS S:IN|OUT|PRI...
std::string select_step(const Words& words) {
  const auto asked = questions(words, 2);
  int count;
  auto [readable, writable, exceptional] = sets_of(asked, count);
  timeval limit{number(words, 1) / 1000, number(words, 1) % 1000 * 1000};
  const timespec exact = as_timespec(number(words, 1));
  before_call();
  const long ready = words[0] == "select" ? calls::select(count, &readable, &writable, &exceptional, &limit)
                                          : calls::pselect(count, &readable, &writable, &exceptional, exact);
  std::string said = result(ready);
  for (const auto& [name, fd] : asked)
    if (ready >= 0 && fd.fd >= 0)
      said += " " + name + ":" + (FD_ISSET(fd.fd, &readable) ? "r" : "-") + (FD_ISSET(fd.fd, &writable) ? "w" : "-") +
              (FD_ISSET(fd.fd, &exceptional) ? "x" : "-");
  return said;
}

// epoll E
std::string epoll_step(const Words& words) {
  Slot& made = slot(word(words, 1));
  before_call();
  made = {epoll_create1(EPOLL_CLOEXEC), nullptr};
  return result(made.fd < 0 ? -1 : 0);
}

// ctl E add|mod|del S EVENTS
std::string control_step(const Words& words) {
  const std::string operation = word(words, 2), name = word(words, 3);
  epoll_event event{};
  event.events = events_of(word(words, 4));
  // The data word is the name of the registered descriptor.
  for (size_t i = 0; i < std::min<size_t>(name.size(), 7); ++i)
    event.data.u64 |= uint64_t{static_cast<unsigned char>(name[i])} << 8 * i;
  before_call();
  return result(calls::epoll_ctl(slot(word(words, 1)).fd,
                                 operation == "add"   ? EPOLL_CTL_ADD
                                 : operation == "mod" ? EPOLL_CTL_MOD
                                                      : EPOLL_CTL_DEL,
                                 slot(name).fd, &event));
}

std::string told(const epoll_event& event) {
  std::string name;
  for (uint64_t rest = event.data.u64; rest; rest >>= 8)
    name += static_cast<char>(rest & 255);
  return name + ":" + events_text(event.events);
}

// wait|pwait|pwait2 E MILLISECONDS [SIZE]
std::string wait_step(const Words& words) {
  epoll_event events[16];
  const int size = words.size() > 3 ? std::clamp(number(words, 3), -1, 16) : 16;
  const int epfd = slot(word(words, 1)).fd, limit = number(words, 2);
  const timespec exact = as_timespec(limit);
  before_call();
  const long count = words[0] == "wait"    ? calls::epoll_wait(epfd, events, size, limit)
                     : words[0] == "pwait" ? calls::epoll_pwait(epfd, events, size, limit)
                                           : calls::epoll_pwait2(epfd, events, size, exact);
  std::string said = result(count);
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i)
    texts.push_back(told(events[i]));
  std::sort(texts.begin(), texts.end());
  for (const std::string& text : texts)
    said += " " + text;
  return said;
}

// crowd E: three threads ask for all events of the set at the same time. Who gets which is chance, so the outcome is
// all of them together.
std::string crowd_step(const Words& words) {
  const int epfd = slot(word(words, 1)).fd;
  std::mutex mutex;
  std::set<std::string> texts;
  const auto look = [&] {
    epoll_event events[16];
    for (int i = 0; i < 3; ++i) {
      const int count = epoll_wait(epfd, events, 16, 0);
      const std::lock_guard lock{mutex};
      for (int at = 0; at < count; ++at)
        texts.insert(told(events[at]));
    }
  };
  std::vector<std::thread> crowd;
  for (int i = 0; i < 3; ++i)
    crowd.emplace_back(look);
  for (std::thread& one : crowd)
    one.join();
  std::string said = std::to_string(texts.size());
  for (const std::string& text : texts)
    said += " " + text;
  return said;
}

} // namespace

std::string play_wait_step(const Words& words) {
  const std::string& verb = words[0];
  if (verb == "poll" || verb == "ppoll")
    return poll_step(words);
  if (verb == "select" || verb == "pselect")
    return select_step(words);
  if (verb == "epoll")
    return epoll_step(words);
  if (verb == "ctl")
    return control_step(words);
  if (verb == "crowd")
    return crowd_step(words);
  if (verb == "wait" || verb == "pwait" || verb == "pwait2")
    return wait_step(words);
  return "";
}

} // namespace differential
