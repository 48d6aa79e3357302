#include "migration/down_section.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

#include "migration/line_end.h"
#include "migration/read_text.h"
#include "migration/section_marker.h"
#include "migration/text_position.h"
#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::migration {
namespace {

/// A `--` comment in a line of its own.
struct Comment {
  std::string_view text;  ///< After the `--`.
  std::uint64_t offset;   ///< Of the `--`.
};

/// Finds such comments in the gaps between statements. Relies on a gap holding whole comments.
class OwnLineComments {
 public:
  void Feed(sql::Gap gap, const std::function<void(const Comment&)>& visit) {
    std::size_t at =
        gap.offset == 0 && gap.text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    while (at < gap.text.size()) {
      const std::string_view rest = gap.text.substr(at);
      if (rest.starts_with("--")) {
        const std::size_t end = FindLineEnd(rest);
        if (own_line_) visit({rest.substr(2, end - 2), gap.offset + at});
        at += end;
      } else if (rest.starts_with("/*")) {
        at += BlockCommentSize(rest);
        own_line_ = false;
      } else {
        const bool blank = std::string_view(" \t\v\f").find(rest.front()) != std::string_view::npos;
        const bool line_end = rest.front() == '\n' || rest.front() == '\r';
        own_line_ = line_end || (blank && own_line_);
        ++at;
      }
    }
  }

  /// A statement stands here.
  void Interrupt() { own_line_ = false; }

 private:
  static std::size_t BlockCommentSize(std::string_view text) {
    std::size_t at = 2;
    for (int depth = 1; depth > 0 && at < text.size();) {
      const std::string_view pair = text.substr(at, 2);
      if (pair == "/*") ++depth;
      if (pair == "*/") --depth;
      at += pair == "/*" || pair == "*/" ? 2 : 1;
    }
    return std::min(at, text.size());
  }

  bool own_line_ = true;
};

/// Whether a statement may turn standard_conforming_strings off; saves classifying all the others.
bool MentionsLexing(std::string_view statement) {
  constexpr std::string_view kSetting = "conforming";
  return std::search(statement.begin(), statement.end(), kSetting.begin(), kSetting.end(),
                     [](char a, char b) { return (a | 0x20) == b; }) != statement.end();
}

/// Reads the comments and statements of one file in their order, and notes where its sections are.
class SectionFinder {
 public:
  explicit SectionFinder(const SourceFile& file) : file_(file) {}

  void TakeComment(const Comment& comment) {
    const SectionMarker marker = ReadSectionMarker(comment.text);
    if (marker == SectionMarker::kDecoration) {
      if (!ruled_from_) ruled_from_ = comment.offset;
      return;
    }
    if (marker == SectionMarker::kUp) TakeUp(comment);
    if (marker == SectionMarker::kDown) TakeDown(comment);
    if (marker == SectionMarker::kMaybeDown && !section_ && statements_above_)
      doubt_ = comment.offset;
    if (marker == SectionMarker::kForeign) {
      const std::string tool(ForeignTool(comment.text));
      Refuse(comment.offset,
             "this comment is a directive of " + tool +
                 ", whose format is not supported yet; as a plain numbered file it would run as a "
                 "whole, so take the directives out");
    }
    ruled_from_.reset();
  }

  void TakeStatement() {
    ruled_from_.reset();
    if (doubt_) {
      Refuse(*doubt_,
             "this comment may begin the down section or be a remark: write `-- Migration Down` "
             "alone on its line to "
             "begin the section, or reword the remark");
    }
    if (!section_) {
      statements_above_ = true;
      return;
    }
    section_->has_statements = true;
    if (!statements_above_ && !up_marker_) {
      Refuse(marker_,
             "the down section begins here, but above it there is no statement: put the statements "
             "that "
             "migrate up above it (with `-- Migration Up` before it an empty up part is taken as "
             "meant)");
    }
  }

  const std::optional<Error>& error() const { return error_; }
  const std::optional<DownSection>& section() const { return section_; }

 private:
  void TakeUp(const Comment& comment) {
    if (section_) {
      Refuse(
          comment.offset,
          "an up section may not follow the down section: put it above, or into a file of its own");
    }
    up_marker_ = true;
  }

  void TakeDown(const Comment& comment) {
    if (section_ && section_->has_statements) {
      Refuse(comment.offset, "this is a second down section: a file has one, at its end");
    }
    if (section_) return;
    doubt_.reset();
    marker_ = comment.offset;
    section_ = DownSection{.begin = ruled_from_.value_or(comment.offset)};
  }

  void Refuse(std::uint64_t offset, std::string message) {
    if (error_) return;
    error_ = Error{.kind = ErrorKind::kInvalidArgument,
                   .message = std::move(message),
                   .position = PositionAt(file_, offset)};
  }

  const SourceFile& file_;
  bool up_marker_ = false;
  bool statements_above_ = false;
  std::uint64_t marker_ = 0;
  std::optional<std::uint64_t> ruled_from_;  ///< The first of the ruled lines just read.
  std::optional<std::uint64_t> doubt_;       ///< A comment that matters only if statements follow.
  std::optional<DownSection> section_;
  std::optional<Error> error_;
};

}  // namespace

Result<std::optional<DownSection>> FindDownSection(const SourceFile& file) {
  Result<std::unique_ptr<ByteSource>> bytes = file.Open();
  if (!bytes) return tl::make_unexpected(std::move(bytes).error());
  sql::StatementSplitter splitter(**bytes, {.file = file.path()});
  OwnLineComments comments;
  SectionFinder finder(file);
  bool conforming =
      true;  // The server's setting of standard_conforming_strings, as far as the file sets it.
  for (;;) {
    Result<std::optional<sql::Piece>> piece = splitter.Next();
    if (!piece) return tl::make_unexpected(std::move(piece).error());
    if (!*piece) return finder.section();
    if (const auto* gap = std::get_if<sql::Gap>(&**piece)) {
      comments.Feed(*gap, [&finder](const Comment& comment) { finder.TakeComment(comment); });
    } else if (const auto* statement = std::get_if<sql::Statement>(&**piece)) {
      comments.Interrupt();
      finder.TakeStatement();
      if (!conforming || MentionsLexing(statement->text)) {
        const sql::StatementFacts facts = sql::Classify(statement->text, conforming);
        conforming = sql::StandardConformingStringsAfter(facts, conforming, true);
      }
      splitter.SetStandardConformingStrings(conforming);
    }
    if (finder.error()) return tl::make_unexpected(*finder.error());
  }
}

}  // namespace whimbrel::migration
