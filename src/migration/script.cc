#include "migration/script.h"

#include "migration/normalised_sum.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {

Script WholeScript(const SourceFilePtr& file, std::uint64_t begin) {
  return {.file = file,
          .begin = begin,
          .end = file->size(),
          .start = {.file = file->path(), .line = 1, .column = 1, .offset = begin}};
}

Result<ScriptSums> SumsOf(const Script& script) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(std::move(bytes).error());
  NormalisedSum normalised;
  Sha256 raw;
  for (;;) {
    const Result<std::string_view> piece = (*bytes)->Read();
    if (!piece) return tl::make_unexpected(piece.error());
    if (piece->empty()) return ScriptSums{normalised.Hex(), raw.FinishHex()};
    normalised.Feed(*piece);
    raw.Update(*piece);
  }
}

MigrationResolver::Match MatchOf(const std::vector<std::string_view>& fitting_paths) {
  if (fitting_paths.empty()) return {};
  const std::string example(fitting_paths.front());
  const std::size_t count = fitting_paths.size();
  return {.files = static_cast<int>(count),
          .reason = count == 1 ? "1 file is called " + example
                               : std::to_string(count) + " files have names such as " + example};
}

}  // namespace whimbrel::migration
