#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/lexer.h"
#include "sql/nesting.h"

namespace whimbrel::sql {

/// Knows whether a colon stands directly within the brackets of a subscript, where it makes a
/// slice: `a[1:b]`, not `ARRAY[:a]` and not `a[(:b)]`.
class Brackets {
 public:
  void OnToken(LexemeKind kind, std::string_view text);
  [[nodiscard]] bool InSubscript() const {
    return !open_.empty() && open_.back() == Open::kSubscript;
  }

 private:
  enum class Open : std::uint8_t { kParenthesis, kConstructor, kSubscript };
  enum class Previous : std::uint8_t { kOther, kArray, kOpenOrComma };

  void Close(bool parenthesis);

  std::vector<Open> open_;
  Previous previous_ = Previous::kOther;
};

/// Follows the statement that is being read, as it will be when its variables have their values.
class PsqlStatement {
 public:
  void OnToken(LexemeKind kind, std::string_view text);
  void OnSpace();

  [[nodiscard]] bool begun() const { return begun_; }
  /// Whether a `;` ends it here.
  [[nodiscard]] bool EndsHere() const { return !nesting_.IsOpen(); }
  [[nodiscard]] bool InSubscript() const { return brackets_.InSubscript(); }

  /// What it did to the text that follows it.
  struct Effect {
    bool reads_data = false;  ///< It is a COPY … FROM STDIN.
    bool standard_conforming_strings = true;
  };
  [[nodiscard]] Effect End(bool standard_conforming_strings) const;

 private:
  bool begun_ = false;
  Nesting nesting_;
  Brackets brackets_;
  std::string text_;  ///< Without comments; of a long one the beginning.
};

}  // namespace whimbrel::sql
