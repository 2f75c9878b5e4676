// SPDX-License-Identifier: MIT
// Messages to the user: one line, one write, from a fixed buffer; errno stays as it was.
#pragma once
#include "base/fd.h"
#include "base/format.h"
#include "config/config.h"

namespace socksify {

// The file that is stderr now is the one to write to.
void remember_stderr();

// To the log file of the configuration, else to stderr. No file stays open between two lines.
void write_line(std::string_view line);

// "socksify: ..." whatever the debug level: for what keeps the library from working at all.
template <typename Format, typename... Arguments> void print_line(const Format& format, const Arguments&... arguments) {
  Text<1024> line;
  line.append(FMT_COMPILE("socksify: "));
  line.append(format, arguments...);
  write_line(line.view());
}

// "ECONNREFUSED".
std::string_view error_name(int error);

// The program's name, as far as it may be in a line.
Text<32> program_name();

// "socksify: PROGRAM[PID]: ..." if SOCKS_DEBUG is at least `level`. 1: results; 2: requests and servers that cannot be
// reached; 3: routes, too.
inline bool is_logged(int level) { return config().debug >= level; }

template <typename Format, typename... Arguments>
void log(int level, const Format& format, const Arguments&... arguments) {
  if (!is_logged(level))
    return;
  KeepErrno keep;
  Text<1024> line;
  line.append(FMT_COMPILE("socksify: {}[{}]: "), program_name().view(), getpid());
  line.append(format, arguments...);
  write_line(line.view());
}

} // namespace socksify
