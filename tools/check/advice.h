// SPDX-License-Identifier: MIT
// What is known of programs by their names.
#pragma once
#include "check/report.h"
#include <string>

namespace socksify::check {

// Warns of the ways past the proxy that a program is known to have.
void add_advice(Report& report, const Words& command, const std::string& preload);

} // namespace socksify::check
