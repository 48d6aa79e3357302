#pragma once

#include <cstddef>

namespace whimbrel::controller {

/// What the CRD allows in status (crds/, maxLength counts characters, these count bytes): a text
/// that is too long would make every write of status fail.
inline constexpr std::size_t kMaxVersionBytes = 256;
inline constexpr std::size_t kMaxDescriptionBytes = 512;
inline constexpr std::size_t kMaxFileBytes = 1024;
inline constexpr std::size_t kMaxChecksumBytes = 128;
inline constexpr std::size_t kMaxDetailBytes = 1024;
inline constexpr std::size_t kMaxFailureBytes = 2048;
inline constexpr std::size_t kMaxServerVersionBytes = 64;
inline constexpr std::size_t kMaxSetBytes = 256;
inline constexpr std::size_t kMaxDatabaseNameBytes = 63;
inline constexpr std::size_t kMaxListed = 20;

}  // namespace whimbrel::controller
