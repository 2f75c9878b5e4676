// SPDX-License-Identifier: MIT
// Messages to the user. Each is one line, formatted in a fixed buffer and written by one call; errno is kept.
#pragma once
#include "base/fd.h"
#include "base/text.h"
#include "config/config.h"

namespace socksify {

// Messages go to the file that is stderr now, and only while descriptor 2 is that file.
void remember_stderr();

// Writes to the configured log file, else to stderr. The file is opened for each line, so that no descriptor stays
// open.
void write_line(std::string_view line);

// Writes text to descriptor 2, whatever that is now.
void write_to_stderr(std::string_view text);

// "socksify: ..." at any debug level: for what keeps the library from working.
void print_line(std::string_view format, std::span<const Field> fields);
template <typename... Arguments> void print_line(FormatOf<Arguments...> format, const Arguments&... arguments) {
  print_line(format.text(), std::array<Field, sizeof...(Arguments)>{arguments...});
}

// "ECONNREFUSED".
std::string_view error_name(int error);

// The program's name, cut to a reasonable length and without control characters.
Text<32> program_name();

// Writes "socksify: PROGRAM[PID]: ..." if SOCKS_DEBUG is at least `level`. 1: results; 2: also requests and unreachable
// servers; 3: also routes.
inline bool is_logged(int level) { return config().debug >= level; }

void log_line(std::string_view format, std::span<const Field> fields); // at any level
template <typename... Arguments> void log(int level, FormatOf<Arguments...> format, const Arguments&... arguments) {
  if (is_logged(level))
    log_line(format.text(), std::array<Field, sizeof...(Arguments)>{arguments...});
}

} // namespace socksify
