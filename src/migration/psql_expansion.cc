#include "migration/psql_expansion.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "migration/expanded_file.h"
#include "migration/file_name.h"
#include "migration/text_position.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/sql/psql_scanner.h"
#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::migration {
namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxInclusions = 10'000;
constexpr std::uint64_t kMaxValueBytes = std::uint64_t{16} << 20;

tl::unexpected<Error> Refuse(const SourcePosition& at, std::string message) {
  return Fail(ErrorKind::kInvalidArgument, std::move(message), at);
}

/// `folder` and `path` together, without `.` and `..`; nullopt when that leads out of the source.
std::optional<std::string> Join(std::string_view folder, std::string_view path) {
  if (path.starts_with('/') || path.starts_with('~')) return std::nullopt;
  std::vector<std::string_view> parts;
  for (std::string_view rest : {folder, path}) {
    while (!rest.empty()) {
      const std::size_t slash = std::min(rest.find('/'), rest.size());
      const std::string_view part = rest.substr(0, slash);
      rest.remove_prefix(std::min(slash + 1, rest.size()));
      if (part == ".." && parts.empty()) return std::nullopt;
      if (part == "..") parts.pop_back();
      if (!part.empty() && part != "." && part != "..") parts.push_back(part);
    }
  }
  std::string joined;
  for (const std::string_view part : parts) joined.append(joined.empty() ? "" : "/").append(part);
  return joined;
}

std::string_view FolderOf(std::string_view path) {
  return path.substr(0, path.size() - BaseName(path).size());
}

SourceFilePtr Find(const Source& source, std::string_view path) {
  const auto found = std::lower_bound(
      source.files.begin(), source.files.end(), path,
      [](const SourceFilePtr& file, std::string_view wanted) { return file->path() < wanted; });
  return found != source.files.end() && (*found)->path() == path ? *found : nullptr;
}

/// Hashes what is read of a file that may have changed since it was hashed.
class CheckedByteSource final : public ByteSource {
 public:
  CheckedByteSource(std::unique_ptr<ByteSource> bytes, const SourceFile& file)
      : bytes_(std::move(bytes)), file_(file) {}

  Result<std::string_view> Read() override {
    Result<std::string_view> piece = bytes_->Read();
    if (!piece) return piece;
    sum_.Update(*piece);
    if (piece->empty() && sum_.FinishHex() != file_.sha256()) {
      return Fail(ErrorKind::kSourceChanged,
                  file_.path() + " has changed since the source was opened: run again");
    }
    return piece;
  }

 private:
  const std::unique_ptr<ByteSource> bytes_;
  const SourceFile& file_;
  Sha256 sum_;
};

Result<std::unique_ptr<ByteSource>> OpenAsHashed(const SourceFile& file) {
  if (file.bytes() != nullptr) return std::make_unique<StringByteSource>(*file.bytes());
  Result<std::unique_ptr<ByteSource>> bytes = file.Open();
  if (!bytes) return bytes;
  return std::make_unique<CheckedByteSource>(*std::move(bytes), file);
}

/// Carries out the commands of one migration's file and of those that it includes.
class Expander {
 public:
  Expander(const Source& source, const std::string& path)
      : source_(source), expanded_(std::make_shared<ExpandedFile>(path)) {}

  Result<PsqlExpansion> Run(const SourceFilePtr& file) {
    if (Result<void> read = ReadFile(file); !read) return tl::make_unexpected(read.error());
    if (!changed_) return PsqlExpansion{.file = file};
    expanded_->Finish();
    return PsqlExpansion{.file = std::move(expanded_), .included = std::move(included_)};
  }

 private:
  /// A file that is being read, and where it includes the next one.
  struct Level {
    SourceFilePtr file;
    SourcePosition at;
  };

  Result<void> ReadFile(const SourceFilePtr& file);
  Result<void> Take(const sql::PsqlPiece& piece, std::size_t reading);
  Result<void> RunCommand(const sql::PsqlCommand& command);
  Result<void> Include(const sql::PsqlCommand& command);
  Result<void> Set(const sql::PsqlCommand& command);
  Result<SourceFilePtr> FindIncluded(const sql::PsqlCommand& command, std::string_view path) const;
  [[nodiscard]] std::string Chain(std::string_view end) const;
  [[nodiscard]] Result<void> CheckSize() const;

  const Source& source_;
  std::shared_ptr<ExpandedFile> expanded_;
  std::vector<Level> levels_;
  std::vector<std::string> included_;
  sql::PsqlVariables variables_;
  std::size_t inclusions_ = 0;
  std::uint64_t argument_value_bytes_ = 0;  ///< Of values within the arguments of commands.
  bool changed_ = false;
};

Result<void> Expander::ReadFile(const SourceFilePtr& file) {
  Result<std::unique_ptr<ByteSource>> bytes = OpenAsHashed(*file);
  if (!bytes) return tl::make_unexpected(std::move(bytes).error());
  sql::PsqlScanner scanner(**bytes, file->path(), variables_);
  const std::size_t reading = expanded_->AddReading(file);
  levels_.push_back({.file = file});
  while (true) {
    const Result<std::optional<sql::PsqlPiece>> piece = scanner.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    if (!*piece) break;
    if (Result<void> taken = Take(**piece, reading); !taken) return taken;
  }
  levels_.pop_back();
  if (!levels_.empty()) expanded_->AppendText(reading, scanner.Closing(), scanner.position());
  return {};
}

Result<void> Expander::Take(const sql::PsqlPiece& piece, std::size_t reading) {
  if (const auto* command = std::get_if<sql::PsqlCommand>(&piece)) {
    changed_ = true;
    levels_.back().at = command->position;
    argument_value_bytes_ += command->value_bytes;
    if (Result<void> size = CheckSize(); !size) return size;
    return RunCommand(*command);
  }
  if (const auto* value = std::get_if<sql::PsqlValue>(&piece)) {
    changed_ = true;
    expanded_->AppendText(reading, value->text, value->position);
    return CheckSize();
  }
  const auto& text = std::get<sql::PsqlText>(piece);
  const bool inner_mark =
      levels_.size() > 1 && text.position.offset == 0 && text.text == kByteOrderMark;
  if (!inner_mark) expanded_->AppendPart(reading, text.text, text.position);
  return CheckSize();
}

Result<void> Expander::CheckSize() const {
  if (expanded_->size() > kMaxFolderFileBytes) {
    return Refuse(levels_.front().at,
                  Chain("") + " make a migration of more than 1 GiB: divide it");
  }
  if (expanded_->own_text_size() + argument_value_bytes_ > kMaxValueBytes) {
    return Refuse(levels_.back().at, "the values of variables make up more than 16 MiB");
  }
  return {};
}

Result<void> Expander::RunCommand(const sql::PsqlCommand& command) {
  if (command.name == "set") return Set(command);
  if (command.name.starts_with('i')) return Include(command);
  return {};  // \echo and the like.
}

Result<void> Expander::Include(const sql::PsqlCommand& command) {
  std::string path = command.arguments.empty() ? "" : command.arguments.front();
  path.erase(path.find_last_not_of(';') + 1);  // psql forgives `\i file;`.
  if (path.empty()) {
    return Refuse(command.position,
                  "\\" + command.name + " needs the path of a file of the source");
  }
  Result<SourceFilePtr> file = FindIncluded(command, path);
  if (!file) return tl::make_unexpected(std::move(file).error());
  const std::string& found = (*file)->path();
  if (std::any_of(levels_.begin(), levels_.end(),
                  [&](const Level& level) { return level.file == *file; })) {
    return Refuse(command.position, "the files include each other in a circle: " + Chain(found));
  }
  if (levels_.size() > kMaxDepth) {
    return Refuse(command.position, "files are included more than " + std::to_string(kMaxDepth) +
                                        " deep: " + Chain(found));
  }
  if (++inclusions_ > kMaxInclusions) {
    return Refuse(command.position, "more than " + std::to_string(kMaxInclusions) +
                                        " files are included: " + Chain(found));
  }
  included_.push_back(found);
  return ReadFile(*file);
}

Result<SourceFilePtr> Expander::FindIncluded(const sql::PsqlCommand& command,
                                             std::string_view path) const {
  const bool relative = command.name == "ir" || command.name == "include_relative";
  const std::string_view beside = FolderOf(levels_.back().file->path());
  std::vector<std::string_view> folders = {beside};
  if (!relative) folders.insert(folders.begin(), "");
  std::string tried;
  for (const std::string_view folder : folders) {
    const std::optional<std::string> joined = Join(folder, path);
    if (!joined) continue;
    if (SourceFilePtr file = Find(source_, *joined)) return file;
    if (tried != *joined) tried += (tried.empty() ? "" : " nor ") + *joined;
  }
  const std::string what = "\\" + command.name + " " + std::string(path) + ": ";
  if (tried.empty()) {
    return Refuse(command.position,
                  what +
                      "the path leads out of the source; include files of the source, by paths "
                      "that are relative to its root (\\i) or to this file (\\ir)");
  }
  return Refuse(command.position, what + "the source has no file " + tried +
                                      "; hidden files are no part of it, and the path is relative "
                                      "to its root (\\i) or to this file (\\ir)");
}

Result<void> Expander::Set(const sql::PsqlCommand& command) {
  if (command.arguments.empty()) {
    return Refuse(command.position, "\\set needs the name of a variable and its value");
  }
  const std::string& name = command.arguments.front();
  if (!sql::IsPsqlVariableName(name)) {
    return Refuse(command.position,
                  "\\set " + name + ": a variable's name has letters, digits and underscores");
  }
  std::string value;
  for (std::size_t i = 1; i < command.arguments.size(); ++i) value += command.arguments[i];
  // A switch of psql's that is given no value is turned on.
  const std::optional<bool> on = value.empty() ? true : sql::ParseBoolean(value);
  if (name == "AUTOCOMMIT" && on != true) {
    return Refuse(command.position,
                  "\\set AUTOCOMMIT off: remove it, since Whimbrel runs a file in one transaction "
                  "anyway and commits it at its end");
  }
  if (name == "ON_ERROR_STOP" && on != true) {
    return Refuse(command.position,
                  "\\set ON_ERROR_STOP off: Whimbrel stops at every error; remove it, and catch "
                  "what may fail in a DO block");
  }
  if (name == "SINGLELINE" && on != false) {
    return Refuse(command.position, "\\set SINGLELINE: remove it, and end statements with `;`");
  }
  variables_[name] = std::move(value);
  return {};
}

/// `a.sql:3 → b.sql:1 → end`.
std::string Expander::Chain(std::string_view end) const {
  std::string chain;
  for (const Level& level : levels_) {
    if (!chain.empty()) chain += " → ";
    chain += level.file->path() + ":" + std::to_string(level.at.line);
  }
  if (!end.empty()) chain.append(" → ").append(end);
  return chain;
}

}  // namespace

void PsqlHint::Feed(std::string_view piece) {
  const auto begins_command = [](char c) {
    return std::string_view("iseqw").find(c) != std::string_view::npos;
  };
  if (found_ || piece.empty()) return;
  found_ = after_backslash_ && begins_command(piece.front());
  for (std::size_t at = piece.find('\\'); at != std::string_view::npos && !found_;
       at = piece.find('\\', at + 1)) {
    found_ = at + 1 < piece.size() && begins_command(piece[at + 1]);
  }
  after_backslash_ = piece.back() == '\\';
}

Result<PsqlExpansion> ExpandPsql(const Source& source, const SourceFilePtr& file) {
  return Expander(source, file->path()).Run(file);
}

}  // namespace whimbrel::migration
