// SPDX-License-Identifier: MIT
// The launcher from its arguments to the program that it becomes; see launch.cc.
#pragma once

namespace socksify::launcher {

// Both end with null. REQUIRES: the auxiliary vector is behind the environment, as the kernel puts it.
[[noreturn]] void launch(char** arguments, char** environment);

} // namespace socksify::launcher
