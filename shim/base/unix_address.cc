// SPDX-License-Identifier: MIT
#include "base/unix_address.h"
#include "base/text.h"
#include <sys/un.h>

namespace socksify {

std::optional<UnixAddress> parse_unix_address(std::string_view text) {
  constexpr std::string_view scheme = "unix:";
  if (!has_scheme(text, scheme))
    return std::nullopt;
  text.remove_prefix(scheme.size());
  if (!text.starts_with('/'))
    return UnixAddress{text, "the path of a Unix socket must begin with /"};
  if (text.size() >= sizeof sockaddr_un{}.sun_path)
    return UnixAddress{text, "the path of a Unix socket is too long"};
  return UnixAddress{text};
}

} // namespace socksify
