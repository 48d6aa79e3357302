#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace whimbrel {

/// Takes out of a text whatever could be a credential: the user-info of URLs, the values of
/// password-like key=value or key: value pairs, PASSWORD literals of SQL, bearer tokens, PEM
/// blocks. For text that comes from elsewhere (libpq, the API server, a YAML parser) and is about
/// to leave the process. What we write ourselves never holds a secret in the first place; this is
/// the second net.
[[nodiscard]] std::string Redact(std::string_view text);

/// `text` cut to at most `max_bytes` at a UTF-8 boundary, with `…` at the end when something was
/// cut. Invalid UTF-8 is replaced by U+FFFD first.
[[nodiscard]] std::string TruncateUtf8(std::string_view text, std::size_t max_bytes);

}  // namespace whimbrel
