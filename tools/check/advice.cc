// SPDX-License-Identifier: MIT
#include "check/advice.h"
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

namespace socksify::check {
namespace {

struct Advice {
  std::string_view name; // the beginning of the command's
  bool only_for_root;
  const char* text;
};
constexpr Advice all_advice[] = {
    {"nmap", true, "sends raw packets as root, past the proxy: use nmap -sT -Pn --unprivileged"},
    {"masscan", false, "sends raw packets, past the proxy"},
    {"hping", false, "sends raw packets, past the proxy"},
    {"ping", false, "sends ICMP, which SOCKS4 cannot carry"},
    {"traceroute", false, "sends datagrams, which SOCKS4 cannot carry"},
    {"php", false,
     "loads its extensions with RTLD_DEEPBIND, which the library takes away: one that relies on it may fail"},
    {"chromium", false, "resolves names by UDP and uses QUIC: start it with --disable-quic, and close other instances"},
    {"google-chrome", false,
     "resolves names by UDP and uses QUIC: start it with --disable-quic, and close other "
     "instances"},
    {"electron", false, "may resolve names by UDP and use QUIC: start it with --disable-quic"},
    {"gpg", false, "lets dirmngr connect, which may run already: gpgconf --kill dirmngr"},
    {"adb", false, "lets its server connect, which may run already: adb kill-server"},
    {"wine", false, "lets wineserver start programs, which may run already: wineserver -k"},
    {"tmux", false, "opens windows of a server that may run already: use tmux -L NAME"},
    {"systemd-run", false, "lets the system start the program, without the library"},
    {"flatpak", false, "runs programs where the library's file is not visible"},
    {"bwrap", false, "the library must exist at the same path in the new root: --ro-bind its folder"},
};

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The first argument that is no option.
std::string first_operand(const Words& command) {
  for (size_t i = 1; i < command.size(); ++i)
    if (!command[i].starts_with('-'))
      return command[i];
  return {};
}

// $LIB stands for a folder that depends on the program.
std::string library_in(const std::string& preload) {
  const auto library = preload.substr(0, preload.find(':'));
  return library.substr(0, library.find("/$LIB"));
}

void check_chroot(Report& report, const Words& command, const std::string& preload) {
  const auto root = first_operand(command), library = library_in(preload);
  if (!root.empty() && ::access((root + library).c_str(), R_OK) != 0)
    report.fail("program",
                fmt::format("chroot: {} does not exist in {}: no program there could load it", library, root));
}

} // namespace

void add_advice(Report& report, const Words& command, const std::string& preload) {
  const auto name = name_of(command[0]);
  if (name == "chroot")
    check_chroot(report, command, preload);
  for (const auto& advice : all_advice)
    if (name.starts_with(advice.name) && (!advice.only_for_root || ::geteuid() == 0))
      report.warn("program", fmt::format("{}: {}", command[0], advice.text));
}

} // namespace socksify::check
