#pragma once

#include <cstdint>
#include <string>

namespace whimbrel {

/// `712 B`, `1.5 KiB`, `64 MiB`: a size for people; rounded down.
[[nodiscard]] std::string HumanBytes(std::uint64_t bytes);

}  // namespace whimbrel
