#include "whimbrel/base/human.h"

#include <array>
#include <cstddef>

namespace whimbrel {

std::string HumanBytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 7> kUnits = {" B",   " KiB", " MiB", " GiB",
                                                 " TiB", " PiB", " EiB"};
  std::size_t unit = 0;
  std::uint64_t rest = 0;
  while (bytes >= 1024) {
    rest = bytes % 1024;
    bytes /= 1024;
    ++unit;
  }
  std::string text = std::to_string(bytes);
  if (unit > 0 && bytes < 10) text += "." + std::to_string(rest * 10 / 1024);
  return text + kUnits.at(unit);
}

}  // namespace whimbrel
