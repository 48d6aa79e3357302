#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "whimbrel/migration/version.h"

// Three versions, a line each, are in a total order, which is that of their numbers; and the
// canonical spelling is the version.
namespace whimbrel::fuzz {
namespace {

using migration::Version;

/// The numbers, filled up with zeros to the same count and width: texts in the order of the
/// versions.
std::string Padded(const Version& version) {
  constexpr std::size_t kParts = 64;
  constexpr std::size_t kWidth = 256;
  std::string padded;
  std::string_view rest = version.display();
  for (std::size_t i = 0; i < kParts; ++i) {
    const std::string_view part = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    padded += std::string(kWidth - std::min(part.size(), kWidth), '0') + std::string(part) + ".";
  }
  return padded;
}

bool FitsPadding(std::string_view text) { return text.size() <= 64; }

}  // namespace

void Try(std::string_view input) {
  std::vector<Version> versions;
  while (!input.empty() && versions.size() < 3) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const Result<Version> version = Version::Parse(line);
    if (!version || !FitsPadding(line)) continue;
    const Result<Version> again = Version::Parse(version->canonical());
    Require(again && *again == *version && again->canonical() == version->canonical(),
            "the canonical spelling is the version", line);
    versions.push_back(*version);
  }
  for (const Version& a : versions) {
    for (const Version& b : versions) {
      Require((a <=> b) == (Padded(a) <=> Padded(b)), "versions are ordered as their numbers are",
              a.display() + " " + b.display());
      Require((a == b) == ((a <=> b) == 0), "equal is what has no order");
    }
  }
}

}  // namespace whimbrel::fuzz
