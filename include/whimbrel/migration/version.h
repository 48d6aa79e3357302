#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::migration {

/// A version as Flyway orders them (api/MigrationVersion.java): parts of decimal digits of any
/// length, compared as numbers, missing parts counting as 0, so that 1 = 1.0 = 01 and 1.10 > 1.9.
/// Numbered files have one part.
class Version {
 public:
  /// Empty: before every version.
  Version() = default;
  /// Digits, with `.` or `_` between parts. Anything else is an error that names the text.
  static Result<Version> Parse(std::string_view text);

  /// No leading zeros, no trailing zero parts: the identity of the version in the ledger.
  [[nodiscard]] const std::string& canonical() const { return canonical_; }
  /// As the file's name has it, parts joined by `.`: what tools store and people see.
  [[nodiscard]] const std::string& display() const { return display_; }
  [[nodiscard]] bool empty() const { return canonical_.empty(); }

  friend std::strong_ordering operator<=>(const Version& a, const Version& b);
  friend bool operator==(const Version& a, const Version& b) {
    return a.canonical_ == b.canonical_;
  }

 private:
  std::string canonical_;
  std::string display_;
};

}  // namespace whimbrel::migration
