#include "whimbrel/sql/statement_splitter.h"

#include <algorithm>
#include <utility>

#include "sql/copy_data.h"
#include "sql/copy_statement.h"
#include "sql/encoding.h"
#include "sql/leading_comment.h"
#include "sql/meta_command.h"
#include "sql/nesting.h"
#include "sql/window.h"

namespace whimbrel::sql {
namespace {

constexpr std::size_t kGapBytes = std::size_t{64} << 10;
constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

constexpr std::string_view kMustEndOnLine =
    "a statement on the line of COPY … FROM STDIN must end on that line; put it below the data";
constexpr std::string_view kMisplacedByteOrderMark =
    "a byte order mark (U+FEFF) may stand only at the beginning of a file; remove it";

}  // namespace

class StatementSplitter::Impl {
 public:
  Impl(ByteSource& in, SplitOptions options)
      : options_(std::move(options)), file_(in, Start(options_), options_.max_statement_bytes) {}

  Result<std::optional<Piece>> Next() {
    if (failed_.has_value()) return tl::make_unexpected(*failed_);
    Result<std::optional<Piece>> piece = Scan();
    if (!piece.has_value()) failed_ = piece.error();
    return piece;
  }

  void SetStandardConformingStrings(bool on) { options_.standard_conforming_strings = on; }

 private:
  enum class State {
    kText,
    kCopyTerminator,  ///< After a COPY … FROM STDIN, before its `;`.
    kCopyData,
    kCopyEnd,  ///< Before the `\.` line.
  };
  using MaybePiece = Result<std::optional<Piece>>;

  static SourcePosition Start(const SplitOptions& options) {
    SourcePosition start = options.start;
    start.file = options.file;
    return start;
  }

  MaybePiece Scan();
  MaybePiece ScanGap();
  MaybePiece ScanStatement();
  MaybePiece ScanCopyTerminator();
  MaybePiece ScanCopyData();
  MaybePiece ScanCopyEnd();

  MaybePiece TakeGap(std::size_t size);
  MaybePiece TakeStatement(std::size_t size, std::size_t scanned, bool copy);
  MaybePiece TakeCopyData(CopyData piece, std::size_t size);

  /// Offset behind the line that `from` lies on; with its `\n`, unless the text ends there.
  std::size_t LineEnd(std::size_t from);
  Lexeme LexAt(std::size_t at) { return Lex(*in_, at, options_.standard_conforming_strings); }
  bool SkipInGap(Lexeme& lexeme, std::size_t at);
  bool IsRestrictCommand(std::size_t backslash);
  std::string_view MetaCommandAt(std::size_t backslash);
  bool ReadsHeldLine() const { return held_.has_value() && in_ == &*held_; }

  /// The error of what begins at `where`, unless what was read up to `scanned` has one that goes
  /// before: the same text must give the same error however it is cut into chunks.
  tl::unexpected<Error> FailAt(std::size_t where, std::string_view message, std::size_t scanned);
  /// What is wrong with the first bytes as such: their size, their encoding, the source.
  std::optional<Error> CheckBytes(std::size_t size, std::size_t scanned) const;

  SplitOptions options_;
  Window file_;
  Window* in_ = &file_;
  State state_ = State::kText;
  std::optional<Error> failed_;
  std::size_t statements_ = 0;

  LeadingComment comment_;

  /// What follows a COPY … FROM STDIN; on its line: read when its data has been, up to the next
  /// such statement on it. `held_text_` is what `held_` is a window on.
  std::optional<Window> held_;
  std::string held_text_;
  bool copy_line_start_ = true;
};

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::Scan() {
  switch (state_) {
    case State::kCopyTerminator:
      return ScanCopyTerminator();
    case State::kCopyData:
      return ScanCopyData();
    case State::kCopyEnd:
      return ScanCopyEnd();
    case State::kText:
      break;
  }
  MaybePiece piece = ScanGap();
  if (!piece.has_value() || piece->has_value()) return piece;
  piece = ScanStatement();
  if (!piece.has_value() || piece->has_value() || !ReadsHeldLine()) return piece;
  in_ = &file_;
  comment_.OnNewLine();
  return Scan();
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::ScanGap() {
  std::size_t at = 0;
  if (in_->position().offset == 0) {
    while (in_->view().size() < kByteOrderMark.size() && in_->More()) continue;
    if (in_->view().starts_with(kByteOrderMark)) return TakeGap(kByteOrderMark.size());
  }
  while (at < kGapBytes) {
    Lexeme lexeme = LexAt(at);
    const bool skipped = SkipInGap(lexeme, at);
    const bool too_large = lexeme.end > options_.max_statement_bytes;
    if (!skipped || (at > 0 && (too_large || lexeme.unterminated))) break;
    if (lexeme.unterminated) {
      return FailAt(at, DescribeUnterminated(lexeme.kind), lexeme.end);
    }
    const std::string_view text = in_->view().substr(at, lexeme.end - at);
    if (lexeme.kind == LexemeKind::kPunctuation) {
      comment_.OnStatementEnd();
    } else if (lexeme.kind == LexemeKind::kSpace || lexeme.kind == LexemeKind::kBackslash) {
      comment_.OnOtherGap(text);
    } else {
      comment_.OnComment(text);
    }
    at = lexeme.end;
  }
  if (at == 0) return std::nullopt;
  return TakeGap(at);
}

/// Whether a lexeme may stand between statements. Lets `lexeme` reach to the end of its line when
/// it is a command that is skipped.
bool StatementSplitter::Impl::SkipInGap(Lexeme& lexeme, std::size_t at) {
  switch (lexeme.kind) {
    case LexemeKind::kSpace:
      lexeme.end = std::min(lexeme.end, at + options_.max_statement_bytes);
      return true;
    case LexemeKind::kLineComment:
    case LexemeKind::kBlockComment:
      return true;
    case LexemeKind::kPunctuation:
      return in_->view()[at] == ';';
    case LexemeKind::kBackslash:
      if (!IsRestrictCommand(at)) return false;
      lexeme.end = LineEnd(at);
      return true;
    default:
      return false;
  }
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::ScanStatement() {
  Nesting nesting;
  std::size_t end = 0;
  bool copy = false;
  std::size_t at = 0;
  while (true) {
    const Lexeme lexeme = LexAt(at);
    const std::string_view text = in_->view().substr(at, lexeme.end - at);
    if (lexeme.unterminated) return FailAt(at, DescribeUnterminated(lexeme.kind), lexeme.end);
    switch (lexeme.kind) {
      case LexemeKind::kEnd:
        if (const std::optional<Nesting::Open> open = nesting.FindOpen()) {
          return FailAt(open->offset, open->what_to_do, at);
        }
        if (ReadsHeldLine() && end > 0) return FailAt(0, kMustEndOnLine, at);
        return TakeStatement(end, at, copy);
      case LexemeKind::kSpace:
      case LexemeKind::kLineComment:
      case LexemeKind::kBlockComment:
        at = lexeme.end;
        continue;
      case LexemeKind::kBackslash:
        return FailAt(at, DescribeMetaCommand(MetaCommandAt(at)), lexeme.end);
      case LexemeKind::kWord:
        if (text.starts_with(kByteOrderMark))
          return FailAt(at, kMisplacedByteOrderMark, lexeme.end);
        if (at == 0) copy = EqualsKeyword(text, "copy");
        break;
      case LexemeKind::kPunctuation:
        if (text == ";" && !nesting.IsOpen()) return TakeStatement(end, at, copy);
        break;
      default:
        break;
    }
    nesting.OnToken(lexeme.kind, text, at);
    at = end = lexeme.end;
  }
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::TakeGap(std::size_t size) {
  if (std::optional<Error> error = CheckBytes(size, size))
    return tl::make_unexpected(std::move(*error));
  const Gap gap{.text = in_->view().substr(0, size), .offset = in_->position().offset};
  in_->Drop(size);
  return Piece(gap);
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::TakeStatement(std::size_t size,
                                                                           std::size_t scanned,
                                                                           bool copy) {
  if (std::optional<Error> error = CheckBytes(size, scanned))
    return tl::make_unexpected(std::move(*error));
  if (size == 0) return std::nullopt;
  if (++statements_ > options_.max_statements) {
    return FailAt(0,
                  "more than " + std::to_string(options_.max_statements) +
                      " statements in one file; divide it",
                  0);
  }
  Statement statement{.text = in_->view().substr(0, size),
                      .position = in_->position(),
                      .end_offset = in_->position().offset + size,
                      .leading_comment = comment_.View()};
  statement.copy_from_stdin =
      copy && FindCopyStream(statement.text, options_.standard_conforming_strings) ==
                  CopyStream::kFromStdin;
  if (statement.copy_from_stdin) state_ = State::kCopyTerminator;
  comment_.OnStatement();
  in_->Drop(size);
  return Piece(std::move(statement));
}

/// Steps over the `;` and what is blank behind it. What else stands on the line waits for the
/// data's end.
StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::ScanCopyTerminator() {
  std::size_t at = 0;
  while (true) {
    const Lexeme lexeme = LexAt(at);
    const bool terminator = lexeme.kind == LexemeKind::kPunctuation;
    at = lexeme.end;
    if (terminator || lexeme.kind == LexemeKind::kEnd) break;
  }
  // Of a line that is held everything was looked at when it was taken: a line with many COPYs must
  // not be read as often as it has some.
  const bool held = ReadsHeldLine();
  const std::size_t line_end = held ? in_->view().size() : LineEnd(at);
  if (std::optional<Error> error = held ? std::nullopt : CheckBytes(line_end, line_end)) {
    return tl::make_unexpected(std::move(*error));
  }
  std::string_view behind = in_->view().substr(at, line_end - at);
  if (behind.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos) {
    at = line_end;
    behind = {};
  }
  const Gap gap{.text = in_->view().substr(0, at), .offset = in_->position().offset};
  if (held) {
    in_->Drop(at);
  } else {
    held_text_ = behind;
    held_.emplace(held_text_, in_->PositionAt(at));
    in_->Drop(line_end);
  }
  in_ = &file_;
  comment_.OnStatementEnd();
  copy_line_start_ = true;
  state_ = State::kCopyData;
  return Piece(gap);
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::ScanCopyData() {
  bool complete = false;
  while (true) {
    const std::string_view view = in_->view().substr(0, kCopyBytes);
    const CopyDataScan scan = sql::ScanCopyData(view, copy_line_start_, complete);
    if (scan.marker) return TakeCopyData({.last = true}, scan.data_size);
    if (complete) return TakeCopyData({.last = true, .ended_by_end_of_file = true}, scan.data_size);
    if (scan.data_size > 0) return TakeCopyData({.last = false}, scan.data_size);
    complete = !in_->More();
    if (in_->error().has_value()) return tl::make_unexpected(*in_->error());
  }
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::TakeCopyData(CopyData piece,
                                                                          std::size_t size) {
  piece.bytes = in_->view().substr(0, size);
  piece.offset = in_->position().offset;
  if (size > 0) copy_line_start_ = piece.bytes.back() == '\n';
  if (piece.last) state_ = State::kCopyEnd;
  in_->Drop(size);
  return Piece(piece);
}

StatementSplitter::Impl::MaybePiece StatementSplitter::Impl::ScanCopyEnd() {
  const std::size_t marker_size = LineEnd(0);
  MaybePiece marker = TakeGap(marker_size);
  state_ = State::kText;
  if (held_->view().empty()) {
    comment_.OnNewLine();
  } else {
    in_ = &*held_;
  }
  return marker_size > 0 ? marker : Scan();
}

std::size_t StatementSplitter::Impl::LineEnd(std::size_t from) {
  do {
    const std::size_t newline = in_->view().find('\n', from);
    if (newline != std::string_view::npos) return newline + 1;
    from = in_->view().size();
  } while (in_->More());
  return in_->view().size();
}

/// The psql command behind this backslash: up to white space or the next backslash.
std::string_view StatementSplitter::Impl::MetaCommandAt(std::size_t backslash) {
  const std::size_t line_end = LineEnd(backslash);  // May move the view.
  const std::string_view line = in_->view().substr(backslash + 1, line_end - backslash - 1);
  if (line.starts_with(';') || line.starts_with('!')) return line.substr(0, 1);
  return line.substr(0, line.find_first_of(" \t\n\r\f\v;\\'\""));
}

bool StatementSplitter::Impl::IsRestrictCommand(std::size_t backslash) {
  const std::string_view command = MetaCommandAt(backslash);
  return command == "restrict" || command == "unrestrict";
}

std::optional<Error> StatementSplitter::Impl::CheckBytes(std::size_t size,
                                                         std::size_t scanned) const {
  if (in_->error().has_value()) return in_->error();
  if (scanned > options_.max_statement_bytes) {
    return Error{.kind = ErrorKind::kInvalidArgument,
                 .message = "a statement or comment of more than " +
                            std::to_string(options_.max_statement_bytes) + " bytes; divide it",
                 .position = in_->position()};
  }
  const std::string_view text = in_->view().substr(0, size);
  const std::size_t invalid = FindUnacceptableByte(text);
  if (invalid == std::string_view::npos) return std::nullopt;
  return Error{
      .kind = ErrorKind::kInvalidArgument,
      .message = text[invalid] == '\0'
                     ? "a NUL byte, which PostgreSQL takes for the end of the text; remove it"
                     : "bytes that are not UTF-8; save the file in UTF-8",
      .position = in_->PositionAt(invalid)};
}

tl::unexpected<Error> StatementSplitter::Impl::FailAt(std::size_t where, std::string_view message,
                                                      std::size_t scanned) {
  if (std::optional<Error> error = CheckBytes(scanned, scanned)) {
    return tl::make_unexpected(std::move(*error));
  }
  return Fail(ErrorKind::kInvalidArgument, std::string(message), in_->PositionAt(where));
}

StatementSplitter::StatementSplitter(ByteSource& in, SplitOptions options)
    : impl_(std::make_unique<Impl>(in, std::move(options))) {}
StatementSplitter::~StatementSplitter() = default;
StatementSplitter::StatementSplitter(StatementSplitter&&) noexcept = default;
StatementSplitter& StatementSplitter::operator=(StatementSplitter&&) noexcept = default;

Result<std::optional<Piece>> StatementSplitter::Next() { return impl_->Next(); }

void StatementSplitter::SetStandardConformingStrings(bool on) {
  impl_->SetStandardConformingStrings(on);
}

}  // namespace whimbrel::sql
