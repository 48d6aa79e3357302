#include "whimbrel/sql/psql_scanner.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/copy_data.h"
#include "sql/encoding.h"
#include "sql/lexer.h"
#include "sql/psql_arguments.h"
#include "sql/psql_statement.h"
#include "sql/psql_value.h"
#include "sql/window.h"

namespace whimbrel::sql {
namespace {

constexpr std::size_t kTextBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxTokenBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxNestedValues = 1'000'000;

constexpr std::array<std::string_view, 8> kCommands = {"i",   "ir",   "include", "include_relative",
                                                       "set", "echo", "qecho",   "warn"};

}  // namespace

class PsqlScanner::Impl {
 public:
  Impl(ByteSource& in, std::string file, const PsqlVariables& variables)
      : variables_(variables),
        window_(in, SourcePosition{.file = std::move(file), .line = 1, .column = 1},
                kMaxTokenBytes) {}

  Result<std::optional<PsqlPiece>> Next();
  [[nodiscard]] const SourcePosition& position() const { return window_.position(); }
  [[nodiscard]] std::string Closing() const;

 private:
  enum class State {
    kSql,
    kCopyData,
    kVerbatim,  ///< Behind a command that StatementSplitter will refuse.
  };
  using MaybePiece = Result<std::optional<PsqlPiece>>;

  MaybePiece ScanSql();
  tl::unexpected<Error> RefuseToken(const Lexeme& lexeme) const;
  MaybePiece ScanCommand();
  MaybePiece ScanColon();
  MaybePiece ScanCopyData();
  MaybePiece TakeText(std::size_t size);
  MaybePiece TakeValue(const PsqlReference& reference, std::string_view value);

  void OnToken(LexemeKind kind, std::string_view text);
  void EndStatement();
  [[nodiscard]] PsqlReference ReadReference();
  std::size_t LineEnd();
  tl::unexpected<Error> FailAt(std::size_t at, std::string message) const {
    return Fail(ErrorKind::kInvalidArgument, std::move(message), window_.PositionAt(at));
  }

  const PsqlVariables& variables_;
  Window window_;
  State state_ = State::kSql;
  bool standard_conforming_strings_ = true;
  PsqlStatement statement_;
  std::size_t nested_values_ = 0;  ///< Variables that were replaced within the values of others.
  int copies_ = 0;  ///< COPY … FROM STDIN on this line, and the one whose data is being read.
  bool at_line_start_ = true;
  std::uint64_t line_end_ = 0;  ///< Offset in the file, as last found.
};

PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::Next() {
  if (state_ == State::kSql) return ScanSql();
  if (state_ == State::kCopyData) return ScanCopyData();
  while (window_.view().empty() && window_.More()) continue;
  return TakeText(window_.view().size());
}

PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::ScanSql() {
  std::size_t at = 0;
  if (window_.position().offset == 0) {
    while (window_.view().size() < kByteOrderMark.size() && window_.More()) continue;
    if (window_.view().starts_with(kByteOrderMark)) return TakeText(kByteOrderMark.size());
  }
  while (at < kTextBytes) {
    const Lexeme lexeme = Lex(window_, at, standard_conforming_strings_);
    if (lexeme.unterminated || lexeme.end > kMaxTokenBytes) {
      return at > 0 ? TakeText(at) : RefuseToken(lexeme);
    }
    const std::string_view text = window_.view().substr(at, lexeme.end - at);
    switch (lexeme.kind) {
      case LexemeKind::kEnd:
        return TakeText(at);
      case LexemeKind::kBackslash:
        return at > 0 ? TakeText(at) : ScanCommand();
      case LexemeKind::kSpace:
        statement_.OnSpace();
        if (const std::size_t line = text.find('\n');
            copies_ > 0 && line != std::string_view::npos) {
          state_ = State::kCopyData;
          at_line_start_ = true;
          return TakeText(at + line + 1);
        }
        break;
      case LexemeKind::kLineComment:
      case LexemeKind::kBlockComment:
        statement_.OnSpace();
        break;
      case LexemeKind::kPunctuation:
        if (text == ":") return at > 0 ? TakeText(at) : ScanColon();
        [[fallthrough]];
      default:
        OnToken(lexeme.kind, text);
    }
    at = lexeme.end;
  }
  return TakeText(at);
}

/// The window begins with what does not end, or ends too late.
tl::unexpected<Error> PsqlScanner::Impl::RefuseToken(const Lexeme& lexeme) const {
  if (window_.error().has_value()) return tl::make_unexpected(*window_.error());
  if (lexeme.end > kMaxTokenBytes)
    return FailAt(0, "a string or comment of more than 64 MiB; divide it");
  return FailAt(0, std::string(DescribeUnterminated(lexeme.kind)));
}

void PsqlScanner::Impl::OnToken(LexemeKind kind, std::string_view text) {
  if (kind == LexemeKind::kPunctuation && text == ";" && statement_.EndsHere()) {
    EndStatement();
  } else {
    statement_.OnToken(kind, text);
  }
}

void PsqlScanner::Impl::EndStatement() {
  const PsqlStatement::Effect effect = statement_.End(standard_conforming_strings_);
  if (effect.reads_data) ++copies_;
  standard_conforming_strings_ = effect.standard_conforming_strings;
  statement_ = PsqlStatement();
}

/// What follows a colon: the window begins with one.
PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::ScanColon() {
  const PsqlReference reference = ReadReference();
  const auto variable = variables_.find(reference.name);
  if (reference.size > 0 && variable != variables_.end() && !statement_.InSubscript()) {
    return TakeValue(reference, variable->second);
  }
  // `::` and `:=` are operators, whatever follows them.
  const char next = window_.view().size() > 1 ? window_.view()[1] : '\0';
  const std::size_t size = next == ':' || next == '=' ? 2 : 1;
  for (std::size_t i = 0; i < size; ++i) {
    statement_.OnToken(LexemeKind::kPunctuation, window_.view().substr(i, 1));
  }
  return TakeText(size);
}

PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::TakeValue(const PsqlReference& reference,
                                                           std::string_view value) {
  PsqlValue piece{.position = window_.position()};
  const auto on_token = [this](LexemeKind kind, std::string_view text) {
    if (kind == LexemeKind::kSpace) return statement_.OnSpace();
    OnToken(kind, text);
  };
  if (reference.quote != '\0') {
    piece.text = QuotePsqlValue(value, reference.quote);
    OnToken(reference.quote == '"' ? LexemeKind::kQuotedIdentifier : LexemeKind::kString,
            piece.text);
  } else {
    PsqlValueReader reader(variables_, standard_conforming_strings_, on_token,
                           [this] { return statement_.InSubscript(); });
    Result<std::string> text = reader.Read(reference.name, value);
    nested_values_ += reader.nested_values();
    if (nested_values_ > kMaxNestedValues) {
      return FailAt(0, "variables are replaced within variables more than a million times");
    }
    if (!text) return FailAt(0, std::move(text.error().message));
    piece.text = *std::move(text);
  }
  window_.Drop(reference.size);
  return PsqlPiece(std::move(piece));
}

PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::ScanCommand() {
  const std::size_t line_end = LineEnd();
  const std::string_view line = window_.view().substr(1, line_end - 1);
  const std::string name(line.substr(0, line.find_first_of(" \t\n\r\f\v\\")));
  if ((name == "restrict" || name == "unrestrict") && !statement_.begun())
    return TakeText(line_end);
  if (std::find(kCommands.begin(), kCommands.end(), name) == kCommands.end()) {
    state_ = State::kVerbatim;
    return TakeText(line_end);
  }
  if (statement_.begun()) {
    return FailAt(0, "\\" + name +
                         " stands within a statement: put it before the statement, or end the "
                         "statement before it with `;`");
  }
  if (copies_ > 0) {
    return FailAt(0,
                  "\\" + name + " stands on the line of COPY … FROM STDIN: put it below the data");
  }
  const std::size_t text_size = line.size() - (line.ends_with('\n') ? 1 : 0);
  Result<PsqlArguments> arguments =
      ReadPsqlArguments(line.substr(0, text_size).substr(name.size()), variables_);
  if (!arguments) return FailAt(0, "\\" + name + ": " + arguments.error().message);
  PsqlCommand command{.name = name,
                      .arguments = std::move(arguments->values),
                      .value_bytes = arguments->value_bytes,
                      .position = window_.position()};
  window_.Drop(1 + name.size() + arguments->size);
  return PsqlPiece(std::move(command));
}

PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::ScanCopyData() {
  bool complete = false;
  while (true) {
    const std::string_view view = window_.view().substr(0, kTextBytes);
    const CopyDataScan scan = sql::ScanCopyData(view, at_line_start_, complete);
    if (scan.data_size > 0) {
      at_line_start_ = view[scan.data_size - 1] == '\n';
      return TakeText(scan.data_size);
    }
    if (scan.marker) {
      if (--copies_ == 0) state_ = State::kSql;
      return TakeText(LineEnd());
    }
    if (complete) return TakeText(0);
    complete = !window_.More();
  }
}

PsqlScanner::Impl::MaybePiece PsqlScanner::Impl::TakeText(std::size_t size) {
  if (size == 0) {
    if (window_.error().has_value()) return tl::make_unexpected(*window_.error());
    return std::nullopt;
  }
  PsqlText text{.text = window_.view().substr(0, size), .position = window_.position()};
  window_.Drop(size);
  return PsqlPiece(std::move(text));
}

/// What the colon at the window's beginning refers to.
PsqlReference PsqlScanner::Impl::ReadReference() {
  std::size_t end = 1;
  while (true) {
    const std::string_view view = window_.view();
    if (end == 1 && view.size() > 1 && (view[1] == '\'' || view[1] == '"')) ++end;
    while (end < view.size() && IsPsqlNameByte(view[end])) ++end;
    if (end < view.size() || !window_.More()) return ReadPsqlReference(window_.view());
  }
}

/// Where the line ends, looked for once: a line may hold many commands.
std::size_t PsqlScanner::Impl::LineEnd() {
  const std::uint64_t begin = window_.position().offset;
  if (line_end_ > begin) return line_end_ - begin;
  std::size_t newline = std::string_view::npos;
  std::size_t from = 0;
  do {
    newline = window_.view().find('\n', from);
    from = window_.view().size();
  } while (newline == std::string_view::npos && window_.More());
  line_end_ = begin + std::min(newline, window_.view().size() - 1) + 1;
  return line_end_ - begin;
}

std::string PsqlScanner::Impl::Closing() const {
  std::string closing;
  if (window_.position().column > 1) closing = "\n";
  int copies = copies_;
  if (statement_.begun() && state_ == State::kSql) {
    closing += ";\n";
    if (statement_.End(standard_conforming_strings_).reads_data) ++copies;
  }
  for (; copies > 0; --copies) closing += "\\.\n";
  return closing;
}

PsqlScanner::PsqlScanner(ByteSource& in, std::string file, const PsqlVariables& variables)
    : impl_(std::make_unique<Impl>(in, std::move(file), variables)) {}
PsqlScanner::~PsqlScanner() = default;

Result<std::optional<PsqlPiece>> PsqlScanner::Next() { return impl_->Next(); }
const SourcePosition& PsqlScanner::position() const { return impl_->position(); }
std::string PsqlScanner::Closing() const { return impl_->Closing(); }

}  // namespace whimbrel::sql
