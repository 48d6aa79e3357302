#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::sql {

/// Gives a text, which somebody else keeps, in chunks of the given sizes, the last of which holds
/// for the rest. Each chunk lives in memory of its own, which goes with the next one, so that a
/// sanitizer sees a view that is too old.
class ChunkedSource final : public ByteSource {
 public:
  ChunkedSource(std::string_view text, std::vector<std::size_t> sizes)
      : rest_(text), sizes_(std::move(sizes)) {}

  Result<std::string_view> Read() override {
    const std::size_t size = std::min(rest_.size(), sizes_[std::min(next_, sizes_.size() - 1)]);
    ++next_;
    chunk_ = std::make_unique<std::string>(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return std::string_view(*chunk_);
  }
  [[nodiscard]] std::size_t reads() const { return next_; }

 private:
  std::string_view rest_;
  std::vector<std::size_t> sizes_;
  std::size_t next_ = 0;
  std::unique_ptr<std::string> chunk_;
};

/// What a splitter made of a text. Gaps that follow each other are one, and so are pieces of data.
struct Splitting {
  struct Part {
    char kind;  ///< g(ap), s(tatement), d(ata)
    std::uint64_t offset;
    std::string text;
    std::string detail;  ///< All else that the piece says.
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::vector<Part> parts;
  std::string error;

  friend bool operator==(const Splitting&, const Splitting&) = default;
};

inline Splitting::Part DescribePiece(const Piece& piece) {
  if (const auto* gap = std::get_if<Gap>(&piece))
    return {'g', gap->offset, std::string(gap->text), ""};
  if (const auto* data = std::get_if<CopyData>(&piece)) {
    return {'d', data->offset, std::string(data->bytes),
            data->ended_by_end_of_file ? "end of file" : ""};
  }
  const auto& statement = std::get<Statement>(piece);
  return {'s', statement.position.offset, std::string(statement.text),
          statement.position.ToString() + "-" + std::to_string(statement.end_offset) +
              (statement.copy_from_stdin ? " copy " : " ") +
              std::string(statement.leading_comment)};
}

/// Splits to the end or to the first error; literal SETs take effect as they would in a session.
inline Splitting Split(ByteSource& source, const SplitOptions& options = {}) {
  Splitting splitting;
  bool standard = options.standard_conforming_strings;
  StatementSplitter splitter(source, options);
  while (true) {
    const Result<std::optional<Piece>> piece = splitter.Next();
    if (!piece.has_value()) {
      splitting.error = piece.error().ToString();
      return splitting;
    }
    if (!piece->has_value()) return splitting;
    Splitting::Part part = DescribePiece(**piece);
    if (part.kind == 's') {
      standard = StandardConformingStringsAfter(Classify(part.text, standard), standard,
                                                options.standard_conforming_strings);
      splitter.SetStandardConformingStrings(standard);
    }
    Splitting::Part* last = splitting.parts.empty() ? nullptr : &splitting.parts.back();
    if (last != nullptr && part.kind != 's' && last->kind == part.kind &&
        last->offset + last->text.size() == part.offset) {
      last->text += part.text;
      last->detail += part.detail;
    } else {
      splitting.parts.push_back(std::move(part));
    }
  }
}

inline Splitting Split(std::string_view text, const SplitOptions& options = {}) {
  StringByteSource source(text);
  return Split(source, options);
}

/// `[statement]` and `{data}` one after the other; an error as `!line:column: message`.
inline std::string Dump(const Splitting& splitting) {
  std::string dump;
  for (const Splitting::Part& part : splitting.parts) {
    if (part.kind == 's') dump += "[" + part.text + "]";
    if (part.kind == 'd') dump += "{" + part.text + "}";
  }
  return splitting.error.empty() ? dump : dump + "!" + splitting.error;
}

/// The texts of all parts in the order of their offsets; they must follow each other without a
/// hole.
inline std::string Concatenate(Splitting splitting) {
  std::stable_sort(splitting.parts.begin(), splitting.parts.end(),
                   [](const auto& a, const auto& b) { return a.offset < b.offset; });
  std::string text;
  for (const Splitting::Part& part : splitting.parts) {
    if (part.offset != text.size()) return "hole at " + std::to_string(text.size());
    text += part.text;
  }
  return text;
}

inline std::size_t CountStatements(const Splitting& splitting) {
  return static_cast<std::size_t>(std::count_if(splitting.parts.begin(), splitting.parts.end(),
                                                [](const auto& part) { return part.kind == 's'; }));
}

}  // namespace whimbrel::sql
