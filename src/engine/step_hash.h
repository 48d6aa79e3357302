#pragma once

#include <string>
#include <string_view>

#include "whimbrel/base/hash.h"

namespace whimbrel::engine {

/// The hash by which the journal knows a step: of what is sent, so that comments and white space
/// between statements may be edited while a file is half applied.
class StepHash {
 public:
  void AddStatement(std::string_view text) {
    hash_.Update(text);
    hash_.Update(std::string_view("\0", 1));
  }
  void AddCopyData(std::string_view bytes) { hash_.Update(bytes); }
  [[nodiscard]] std::string Hex() const { return hash_.FinishHex(); }

 private:
  Sha256 hash_;
};

}  // namespace whimbrel::engine
