// SPDX-License-Identifier: MIT
// Messages to the user: one line, one write, from a fixed buffer; errno stays as it was.
#pragma once
#include "base/fd.h"
#include "base/format.h"
#include "config/config.h"
#include "names/fake_ips.h"

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

// Endpoints become text only in a line that is written.
inline names::Shown shown(Endpoint endpoint) { return names::shown(endpoint); }
template <typename Other> const Other& shown(const Other& other) { return other; }
inline std::string_view viewed(const names::Shown& text) { return text.view(); }
template <typename Other> const Other& viewed(const Other& other) { return other; }

template <typename Format, typename... Shown>
void append_viewed(Text<1024>& line, const Format& format, const Shown&... arguments) {
  line.append(format, viewed(arguments)...);
}

// The program's name, as far as it may be in a line.
Text<32> program_name();

// "socksify: PROGRAM[PID]: ..." if SOCKS_DEBUG is at least `level`. 1: results; 2: requests and servers that cannot be
// reached; 3: routes, too.
template <typename Format, typename... Arguments>
void log(int level, const Format& format, const Arguments&... arguments) {
  if (config().debug < level)
    return;
  KeepErrno keep;
  Text<1024> line;
  line.append(FMT_COMPILE("socksify: {}[{}]: "), program_name().view(), getpid());
  append_viewed(line, format, shown(arguments)...);
  write_line(line.view());
}

} // namespace socksify
