#pragma once

#include <string_view>

namespace whimbrel {

/// What stands in a text in place of a credential.
inline constexpr std::string_view kRedacted = "[redacted]";

/// Whether a key of this name (`sslpassword`, `PGPASSWORD`, `client-secret`, `spec.apiKey`, …) has
/// a credential as its value.
[[nodiscard]] bool NamesCredential(std::string_view key);
/// As NamesCredential, of names that never mean anything but a password: "secret" and "token" are
/// ordinary words in Kubernetes and in parsers' messages.
[[nodiscard]] bool NamesPassword(std::string_view key);

}  // namespace whimbrel
