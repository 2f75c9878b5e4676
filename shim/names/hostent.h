// SPDX-License-Identifier: MIT
// A hostent, with all that it points to in a buffer of the caller's, as gethostbyname_r() and its relatives return it.
#pragma once
#include "names/lookup_result.h"
#include <netdb.h>

namespace socksify {

// The addresses of one family. 0; NO_DATA: there are none; NETDB_INTERNAL with errno ERANGE: the buffer is too small.
int pack(const Answer& answer, int family, hostent* entry, char* buffer, size_t size);

} // namespace socksify
