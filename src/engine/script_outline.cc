#include "engine/script_outline.h"

#include <utility>

#include "engine/hashing_byte_source.h"
#include "engine/step_cutter.h"
#include "whimbrel/sql/statement_facts.h"
#include "whimbrel/sql/statement_splitter.h"

namespace whimbrel::engine {

using sql::StatementFacts;

namespace {

tl::unexpected<Error> SourceChanged(const std::string& path) {
  return Fail(ErrorKind::kSourceChanged,
              path + " changed while it was being read; nothing of it was applied",
              SourcePosition{.file = path});
}

/// A file that was there when the source was opened and is gone now has changed, too.
tl::unexpected<Error> AsChange(Error error, const std::string& path) {
  if (error.kind == ErrorKind::kNotFound) return SourceChanged(path);
  return tl::make_unexpected(std::move(error));
}

/// Cuts the text and gives its pieces to the cutter.
Result<ScriptOutline> CutScript(const migration::Script& script, const OutlineOptions& options,
                                HashingByteSource& bytes) {
  sql::StatementSplitter splitter(
      bytes, {.file = script.file->path(),
              .standard_conforming_strings = options.standard_conforming_strings,
              .start = script.start});
  bool strings = options.standard_conforming_strings;
  StepCutter cutter(options);
  while (true) {
    Result<std::optional<sql::Piece>> piece = splitter.Next();
    if (!piece) return tl::make_unexpected(piece.error());
    if (!*piece) return std::move(cutter).Finish();
    if (const auto* data = std::get_if<sql::CopyData>(&**piece)) cutter.AddCopyData(data->bytes);
    const auto* statement = std::get_if<sql::Statement>(&**piece);
    if (statement == nullptr) continue;
    const StatementFacts facts = sql::Classify(statement->text, strings);
    if (Result<void> added = cutter.Add(*statement, facts, strings); !added)
      return tl::make_unexpected(std::move(added.error()));
    strings =
        sql::StandardConformingStringsAfter(facts, strings, options.standard_conforming_strings);
    splitter.SetStandardConformingStrings(strings);
  }
}

}  // namespace

Result<ScriptOutline> OutlineScript(const migration::Script& script,
                                    const OutlineOptions& options) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(bytes.error());
  HashingByteSource hashed(**bytes);
  Result<ScriptOutline> outline = CutScript(script, options, hashed);
  if (!outline) {
    Error error = std::move(outline.error());
    if (error.position) error.position = script.Locate(*error.position);
    return tl::make_unexpected(std::move(error));
  }
  outline->sha256 = hashed.Hex();
  return outline;
}

Result<void> CheckUnchanged(const migration::ResolvedMigration& migration) {
  Result<std::unique_ptr<ByteSource>> bytes = migration.up.Open();
  if (!bytes) return AsChange(bytes.error(), migration.path);
  HashingByteSource hashed(**bytes);
  while (true) {
    Result<std::string_view> piece = hashed.Read();
    if (!piece) return AsChange(piece.error(), migration.path);
    if (piece->empty()) break;
  }
  if (hashed.Hex() == migration.raw_sum) return {};
  return SourceChanged(migration.path);
}

Result<ScriptOutline> OutlineMigration(const migration::ResolvedMigration& migration,
                                       const OutlineOptions& options) {
  Result<ScriptOutline> outline = OutlineScript(migration.up, options);
  if (outline && outline->sha256 == migration.raw_sum) return outline;
  if (outline) return SourceChanged(migration.path);
  if (Result<void> same = CheckUnchanged(migration); !same)
    return tl::make_unexpected(std::move(same.error()));
  return outline;
}

}  // namespace whimbrel::engine
