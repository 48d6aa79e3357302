#include "migration/read_text.h"

#include <algorithm>
#include <optional>
#include <string>

#include "migration/text_position.h"
#include "migration/utf8_checker.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {
namespace {

using Visitor = std::function<Result<void>(std::string_view)>;

Result<void> ForEachPiece(const SourceFile& file, const Visitor& visit) {
  if (const std::string* bytes = file.bytes()) return visit(*bytes);
  Result<std::unique_ptr<ByteSource>> source = file.Open();
  if (!source) return tl::make_unexpected(std::move(source).error());
  for (;;) {
    const Result<std::string_view> piece = (*source)->Read();
    if (!piece) return tl::make_unexpected(piece.error());
    if (piece->empty()) return {};
    if (Result<void> visited = visit(*piece); !visited) return visited;
  }
}

std::string_view Explain(TextDefect defect) {
  switch (defect) {
    case TextDefect::kNul:
      return "a NUL character, which PostgreSQL does not accept: save the file as UTF-8 text";
    case TextDefect::kInvalidUtf8:
      return "a byte that is not UTF-8: save the file in UTF-8";
    case TextDefect::kReplacementCharacter:
      return "U+FFFD, which stands where a byte that was not UTF-8 has been replaced: restore the "
             "character and save "
             "the file in UTF-8 (write U&'\\FFFD' where U+FFFD itself is meant)";
  }
  return "";
}

Result<void> Refuse(const SourceFile& file, const Utf8Checker::Finding& finding) {
  return Fail(ErrorKind::kInvalidArgument, std::string(Explain(finding.defect)),
              PositionAt(file, finding.offset));
}

/// Takes a byte order mark off the beginning of a text that comes in pieces.
class ByteOrderMarkFilter {
 public:
  explicit ByteOrderMarkFilter(const std::function<void(std::string_view)>& visit)
      : visit_(visit) {}

  void Feed(std::string_view piece) {
    if (decided_) return visit_(piece);
    while (!piece.empty() && matched_ < kByteOrderMark.size() &&
           piece.front() == kByteOrderMark[matched_]) {
      piece.remove_prefix(1);
      ++matched_;
    }
    if (matched_ < kByteOrderMark.size() && piece.empty()) return;
    decided_ = true;
    if (matched_ < kByteOrderMark.size() && matched_ > 0)
      visit_(kByteOrderMark.substr(0, matched_));
    if (!piece.empty()) visit_(piece);
  }

  std::uint64_t begin() const { return matched_ == kByteOrderMark.size() ? matched_ : 0; }

 private:
  const std::function<void(std::string_view)>& visit_;
  std::size_t matched_ = 0;
  bool decided_ = false;
};

}  // namespace

Result<std::uint64_t> ReadText(const SourceFile& file,
                               const std::function<void(std::string_view)>& visit) {
  Utf8Checker utf8;
  ByteOrderMarkFilter text(visit);
  std::optional<Sha256> sum;  // Bytes in memory cannot have changed.
  if (file.bytes() == nullptr) sum.emplace();
  const Result<void> read = ForEachPiece(file, [&](std::string_view piece) -> Result<void> {
    if (sum) sum->Update(piece);
    if (const auto finding = utf8.Feed(piece)) return Refuse(file, *finding);
    text.Feed(piece);
    return {};
  });
  if (!read) return tl::make_unexpected(read.error());
  if (const auto finding = utf8.Finish())
    return tl::make_unexpected(Refuse(file, *finding).error());
  if (sum && sum->FinishHex() != file.sha256()) {
    return Fail(ErrorKind::kSourceChanged,
                file.path() + " has changed since the source was opened: run again");
  }
  return text.begin();
}

SourcePosition PositionAt(const SourceFile& file, std::uint64_t offset) {
  SourcePosition position{.file = file.path(), .line = 1, .column = 1, .offset = offset};
  const std::function<void(std::string_view)> count = [&position](std::string_view text) {
    AdvanceLine(position, text);
  };
  ByteOrderMarkFilter before(count);
  std::uint64_t left = offset;
  const Result<void> read = ForEachPiece(file, [&](std::string_view piece) -> Result<void> {
    piece = piece.substr(0, left);
    before.Feed(piece);
    left -= piece.size();
    return {};
  });
  if (!read || left > 0) position.line = position.column = 0;
  return position;
}

}  // namespace whimbrel::migration
