// SPDX-License-Identifier: MIT
// The file of this library, and its entry in LD_PRELOAD.
#pragma once
#include <string_view>

namespace socksify::own_library {

// As the dynamic linker has found it, or null. Not looked up at load, because dladdr() reads all symbols.
const char* path();

// False if it was loaded from here but cannot be opened any more, after chroot() or setuid(), say. Asks for the real
// IDs, so that capabilities that exec takes away do not count.
bool can_be_opened();

// Where its entry ends in a list that ld.so reads, separated by colons or blanks; 0 if it is not in there. Only the
// base names are compared, because the directory may contain $LIB.
size_t end_in(std::string_view list);

} // namespace socksify::own_library
