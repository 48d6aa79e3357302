#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace whimbrel::fuzz {

/// What a target does with one input; each *_fuzz.cc defines it. It returns, or Require ends it.
void Try(std::string_view input);

/// Ends the process, which libFuzzer then reports with the input, when a property does not hold.
inline void Require(bool holds, std::string_view property, std::string_view found = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken: %.*s\n", static_cast<int>(property.size()), property.data());
  std::fwrite(found.data(), 1, found.size(), stderr);
  std::fputc('\n', stderr);
  std::abort();
}

}  // namespace whimbrel::fuzz
