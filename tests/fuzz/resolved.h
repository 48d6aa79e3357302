#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzz.h"
#include "unit/migration/lines.h"
#include "unit/migration/sources.h"
#include "whimbrel/migration/resolver.h"

namespace whimbrel::fuzz {

/// The files that an input stands for: each begins with a line `=== <path>`, and ends before the
/// next one.
inline std::vector<migration::TestFile> FilesOf(std::string_view input) {
  constexpr std::string_view kMark = "=== ";
  std::vector<migration::TestFile> files;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, std::min(input.find('\n'), input.size() - 1) + 1);
    if (line.starts_with(kMark)) {
      const std::string_view path = line.substr(kMark.size());
      files.push_back({.path = std::string(path.substr(0, path.find('\n'))), .text = ""});
    } else if (!files.empty()) {
      files.back().text += line;
    }
    input.remove_prefix(line.size());
  }
  return files;
}

/// What a resolver makes of the files; nullopt when it refuses them. Holds for all resolvers: files
/// that are read in pieces give what files in memory give, and no identity comes twice.
inline std::optional<migration::ResolvedMigrations> ResolveBothWays(std::string_view input,
                                                                    migration::Format format) {
  const std::vector<migration::TestFile> files = FilesOf(input);
  const auto source = migration::InMemory(files);
  if (source == nullptr) return std::nullopt;
  auto resolved = migration::Resolve(*source, format);
  const auto streamed =
      migration::Resolve(*migration::InPieces(files, 1 + input.size() % 7), format);
  const auto text = [](const Result<migration::ResolvedMigrations>& result) {
    return result ? migration::Lines(*result) : result.error().ToString();
  };
  Require(text(resolved) == text(streamed), "pieces do not matter",
          text(resolved) + "\n<>\n" + text(streamed));
  if (!resolved) return std::nullopt;
  for (const auto* list : {&resolved->versioned, &resolved->repeatable}) {
    const auto twice = std::ranges::adjacent_find(
        *list, [](const auto& a, const auto& b) { return a.id() == b.id(); });
    Require(twice == list->end(), "no identity comes twice");
  }
  return *std::move(resolved);
}

}  // namespace whimbrel::fuzz
