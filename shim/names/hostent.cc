// SPDX-License-Identifier: MIT
#include "names/hostent.h"
#include <cerrno>
#include <cstring>

namespace socksify {
namespace {

// Hands out the buffer piece by piece, each aligned for pointers.
class Pieces {
public:
  Pieces(char* start, size_t size) : m_next(start), m_left(size) { align(); }

  void* allocate(size_t size) {
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

size_t count_of(int family, const LookupResult& found) {
  return static_cast<size_t>(
      std::count_if(found.ips, found.ips + found.count, [&](const Ip& ip) { return is_of(family, ip); }));
}

// An IPv4 address is the last four bytes of an Ip.
void fill_addresses(const LookupResult& found, int family, size_t width, char** list, char* bytes) {
  for (size_t i = 0; i < found.count; ++i)
    if (is_of(family, found.ips[i])) {
      std::memcpy(bytes, found.ips[i].bytes + 16 - width, width);
      *list++ = bytes;
      bytes += width;
    }
  *list = nullptr;
}

} // namespace

int fill_hostent(const LookupResult& found, int family, hostent* entry, char* buffer, size_t size) {
  const size_t width = family == AF_INET ? 4 : 16;
  const size_t count = count_of(family, found);
  if (count == 0)
    return NO_DATA;
  Pieces pieces{buffer, size};
  auto** aliases = static_cast<char**>(pieces.allocate(sizeof(char*)));
  auto** list = static_cast<char**>(pieces.allocate(sizeof(char*) * (count + 1)));
  auto* bytes = static_cast<char*>(pieces.allocate(width * count));
  auto* name = static_cast<char*>(pieces.allocate(found.name.view().size() + 1));
  if (!aliases || !list || !bytes || !name) {
    errno = ERANGE;
    return NETDB_INTERNAL;
  }
  std::memcpy(name, found.name.c_str(), found.name.view().size() + 1);
  *aliases = nullptr;
  *entry = {name, aliases, family, static_cast<int>(width), list};
  fill_addresses(found, family, width, list, bytes);
  return 0;
}

} // namespace socksify
