#include "migration/script.h"

#include <functional>

#include "migration/normalised_sum.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {

namespace {

Result<void> Read(const Script& script, const std::function<void(std::string_view)>& visit) {
  Result<std::unique_ptr<ByteSource>> bytes = script.Open();
  if (!bytes) return tl::make_unexpected(std::move(bytes).error());
  for (;;) {
    const Result<std::string_view> piece = (*bytes)->Read();
    if (!piece) return tl::make_unexpected(piece.error());
    if (piece->empty()) return {};
    visit(*piece);
  }
}

}  // namespace

Script WholeScript(const SourceFilePtr& file, std::uint64_t begin) {
  return {.file = file,
          .begin = begin,
          .end = file->size(),
          .start = {.file = file->path(), .line = 1, .column = 1, .offset = begin}};
}

Result<std::string> NormalisedSumOf(const Script& script) {
  NormalisedSum sum;
  const Result<void> read = Read(script, [&sum](std::string_view piece) { sum.Feed(piece); });
  if (!read) return tl::make_unexpected(read.error());
  return sum.Hex();
}

Result<std::string> RawSumOf(const Script& script) {
  Sha256 sum;
  const Result<void> read = Read(script, [&sum](std::string_view piece) { sum.Update(piece); });
  if (!read) return tl::make_unexpected(read.error());
  return sum.FinishHex();
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
