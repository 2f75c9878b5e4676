// SPDX-License-Identifier: MIT
// The functions that ask a DNS server. They send datagrams from inside the C library, past the hooks of sendto() and
// its relatives, so they have to fail themselves if no datagram may leave. Each has two names, because <resolv.h> has
// renamed them at times.
#include "calls/datagrams.h"
#include "kernel/real.h"
#include <resolv.h>

using namespace socksify;

HOOK int res_query(const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_query)(name, kind, type, answer, size);
}

HOOK int res_search(const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_search)(name, kind, type, answer, size);
}

HOOK int res_querydomain(const char* name, const char* domain, int kind, int type, unsigned char* answer,
                         int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_querydomain)(name, domain, kind, type, answer, size);
}

HOOK int res_send(const unsigned char* query, int length, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_send)(query, length, answer, size);
}

HOOK int res_nquery(res_state state, const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nquery)(state, name, kind, type, answer, size);
}

HOOK int res_nsearch(res_state state, const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nsearch)(state, name, kind, type, answer, size);
}

HOOK int res_nquerydomain(res_state state, const char* name, const char* domain, int kind, int type,
                          unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nquerydomain)(state, name, domain, kind, type, answer, size);
}

HOOK int res_nsend(res_state state, const unsigned char* query, int length, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nsend)(state, query, length, answer, size);
}

HOOK int __res_query(const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_query)(name, kind, type, answer, size);
}

HOOK int __res_search(const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_search)(name, kind, type, answer, size);
}

HOOK int __res_querydomain(const char* name, const char* domain, int kind, int type, unsigned char* answer,
                           int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_querydomain)(name, domain, kind, type, answer, size);
}

HOOK int __res_send(const unsigned char* query, int length, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_send)(query, length, answer, size);
}

HOOK int __res_nquery(res_state state, const char* name, int kind, int type, unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nquery)(state, name, kind, type, answer, size);
}

HOOK int __res_nsearch(res_state state, const char* name, int kind, int type, unsigned char* answer,
                       int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nsearch)(state, name, kind, type, answer, size);
}

HOOK int __res_nquerydomain(res_state state, const char* name, const char* domain, int kind, int type,
                            unsigned char* answer, int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nquerydomain)(state, name, domain, kind, type, answer, size);
}

HOOK int __res_nsend(res_state state, const unsigned char* query, int length, unsigned char* answer,
                     int size) noexcept {
  return datagrams::is_query_refused() ? -1 : REAL(res_nsend)(state, query, length, answer, size);
}
