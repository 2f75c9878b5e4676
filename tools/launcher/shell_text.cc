// SPDX-License-Identifier: MIT
#include "launcher/shell_text.h"
#include "base/settings.h"
#include "launcher/memory.h"
#include "launcher/variables.h"

namespace socksify::launcher {
namespace {

// Lines of text, in room that the writer has counted before.
class Writer {
public:
  void put(std::string_view text) {
    for (const char c : text)
      put(c);
  }
  void put(char c) {
    if (m_room)
      m_room[m_size] = c;
    ++m_size;
  }
  // As one word for the shell.
  void put_quoted(std::string_view text) {
    put('\'');
    for (const char c : text)
      if (c == '\'')
        put("'\\''");
      else
        put(c);
    put('\'');
  }
  void put_variable(std::string_view name, std::string_view value) {
    put("export ");
    put(name);
    put('=');
    put_quoted(value);
    put('\n');
  }

  void get_room() {
    m_room = static_cast<char*>(allocate(m_size + 1));
    m_size = 0;
  }
  std::string_view text() const { return {m_room, m_size}; }

private:
  char* m_room = nullptr; // null: it is only counted
  size_t m_size = 0;
};

void write(Writer& writer, const Options& options, const char* preload) {
  if (options.servers)
    writer.put("unset SOCKS4_SERVER\n");
  if (options.userid)
    writer.put("unset SOCKS_USERNAME\n");
  if (options.no_proxy)
    writer.put("unset no_proxy\n");
  for (const char* name : socksify::settings)
    if (const char* const value = variables::find(name))
      writer.put_variable(name, value);
  writer.put_variable("LD_PRELOAD", preload);
}

} // namespace

std::string_view environment_text(const Options& options, const char* preload) {
  Writer writer;
  write(writer, options, preload);
  writer.get_room();
  write(writer, options, preload);
  return writer.text();
}

} // namespace socksify::launcher
