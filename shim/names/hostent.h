// SPDX-License-Identifier: MIT
// A hostent and all that it points to, in the caller's buffer, as gethostbyname_r() and its relatives return it.
#pragma once
#include "names/lookup_result.h"
#include <netdb.h>

namespace socksify {

// Takes the addresses of one family. Returns 0; NO_DATA if there are none; NETDB_INTERNAL, with errno ERANGE, if the
// buffer is too small.
int fill_hostent(const LookupResult& found, int family, hostent* entry, char* buffer, size_t size);

} // namespace socksify
