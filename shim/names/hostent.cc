// SPDX-License-Identifier: MIT
#include "names/hostent.h"
#include <cerrno>
#include <cstring>

namespace socksify {
namespace {

// Hands out the buffer piece by piece, each aligned for pointers.
class Room {
public:
  Room(char* start, size_t size) : m_next(start), m_left(size) { align(); }

  void* take(size_t size) {
    if (size > m_left)
      return nullptr;
    void* piece = m_next;
    m_next += size;
    m_left -= size;
    align();
    return piece;
  }

private:
  void align() {
    const size_t odd = -reinterpret_cast<uintptr_t>(m_next) % alignof(char*);
    const size_t skipped = std::min(odd, m_left);
    m_next += skipped;
    m_left -= skipped;
  }

  char* m_next;
  size_t m_left;
};

bool is_of(int family, const Ip& ip) { return ip.is_ipv4() == (family == AF_INET); }

} // namespace

int pack(const Answer& answer, int family, hostent* entry, char* buffer, size_t size) {
  const size_t width = family == AF_INET ? 4 : 16;
  const auto count =
      std::count_if(answer.ips, answer.ips + answer.count, [&](const Ip& ip) { return is_of(family, ip); });
  if (count == 0)
    return NO_DATA;
  Room room{buffer, size};
  auto** aliases = static_cast<char**>(room.take(sizeof(char*)));
  auto** list = static_cast<char**>(room.take(sizeof(char*) * static_cast<size_t>(count + 1)));
  auto* bytes = static_cast<char*>(room.take(width * static_cast<size_t>(count)));
  auto* name = static_cast<char*>(room.take(answer.name.view().size() + 1));
  if (!aliases || !list || !bytes || !name) {
    errno = ERANGE;
    return NETDB_INTERNAL;
  }
  std::memcpy(name, answer.name.c_str(), answer.name.view().size() + 1);
  *aliases = nullptr;
  *entry = {name, aliases, family, static_cast<int>(width), list};
  for (size_t i = 0; i < answer.count; ++i)
    if (is_of(family, answer.ips[i])) {
      std::memcpy(bytes, answer.ips[i].bytes + 16 - width, width);
      *list++ = bytes;
      bytes += width;
    }
  *list = nullptr;
  return 0;
}

} // namespace socksify
