// SPDX-License-Identifier: MIT
// dlopen() of a plug-in: RTLD_DEEPBIND would make it call libc's functions in place of ours.
#include "config/config.h"
#include "kernel/real.h"

using namespace socksify;

// A jump, not a call: libc looks for the library by the RUNPATH of the object that its caller's address is in.
HOOK void* dlopen(const char* file, int mode) noexcept {
  if (config().active)
    mode &= ~RTLD_DEEPBIND;
  return REAL(dlopen)(file, mode);
}
