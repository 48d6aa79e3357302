#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/sql/token.h"

namespace whimbrel::sql {

/// `( name [= value], … )` as it stands behind WITH, REINDEX, VACUUM and others.
class OptionList {
 public:
  /// Steps over the list; empty when there is none.
  static OptionList Read(TokenReader& reader);

  /// Whether it is given; a boolean one may be given and off.
  [[nodiscard]] bool Has(std::string_view name) const { return Find(name) != nullptr; }
  /// The value of a boolean option as DefGetBoolean reads it: without a value it is on. nullopt
  /// when it is not given, or is not boolean.
  [[nodiscard]] std::optional<bool> Boolean(std::string_view name) const;

 private:
  struct Option {
    std::string name;  ///< Folded to lower case, with its qualifier: `timescaledb.continuous`.
    std::optional<std::string> value;
  };
  [[nodiscard]] const Option* Find(std::string_view name) const;

  std::vector<Option> options_;
};

/// The value of a token that is one: a string's content, a word in lower case, else as written.
[[nodiscard]] std::string ValueOf(const Token& token);

}  // namespace whimbrel::sql
