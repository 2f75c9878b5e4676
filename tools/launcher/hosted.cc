// SPDX-License-Identifier: MIT
// The launcher as a program of the C library, which the sanitizers need, and processors that start.cc
// is not written for.
#include "launcher/launch.h"

int main(int, char** arguments, char** environment) { socksify::launcher::launch(arguments, environment); }
