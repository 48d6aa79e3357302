#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace whimbrel::history {

/// Java's view of a UTF-8 text: UTF-16 code units, which is what Flyway hashes, counts and cuts.

/// String.hashCode(): s[0]*31^(n-1) + … + s[n-1], modulo 2^32, signed.
[[nodiscard]] std::int32_t JavaHashCode(std::string_view utf8);
/// String.length().
[[nodiscard]] std::size_t JavaLength(std::string_view utf8);
/// The first `units` code units; a character outside the BMP that would be torn apart is left out.
[[nodiscard]] std::string_view JavaPrefix(std::string_view utf8, std::size_t units);

}  // namespace whimbrel::history
