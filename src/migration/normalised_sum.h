#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/hash.h"

namespace whimbrel::migration {

/// The sum of a Numbered part (design §3, Sums): SHA-256 of the text with CR LF as LF and without
/// the white space at its end, so that laptops, Git and YAML's block styles agree. The byte order
/// mark is the caller's to leave out. Builds no new text.
class NormalisedSum {
 public:
  void Feed(std::string_view piece);
  /// Of everything that was fed, in lower-case hexadecimal.
  [[nodiscard]] std::string Hex() const {
    return without_end_ ? ToHex(*without_end_) : Sha256Hex("");
  }

  /// Whether the sum of `text` is the SHA-256 of the text as it is.
  [[nodiscard]] static bool IsNormal(std::string_view text);

 private:
  void Update(std::string_view text);

  Sha256 sum_;
  std::optional<Sha256::Digest> without_end_;  ///< Up to the last byte that is no white space.
  bool carriage_return_ = false;               ///< The last byte was one; not yet in the sum.
};

}  // namespace whimbrel::migration
