#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lines.h"
#include "sources.h"
#include "whimbrel/migration/resolver.h"

namespace whimbrel::migration {

/// Resolves the files from memory, and from streams with pieces of several sizes: the result must
/// be the same.
inline Result<ResolvedMigrations> ResolveFiles(const std::vector<TestFile>& files, Format format) {
  const auto source = InMemory(files);
  if (source == nullptr) return Fail(ErrorKind::kInternal, "the test's files have wrong names");
  Result<ResolvedMigrations> resolved = Resolve(*source, format);
  for (const std::size_t piece : {1, 2, 3, 7, 1000}) {
    const Result<ResolvedMigrations> streamed = Resolve(*InPieces(files, piece), format);
    EXPECT_EQ(resolved.has_value(), streamed.has_value()) << "in pieces of " << piece;
    if (resolved && streamed) {
      EXPECT_EQ(Lines(*resolved), Lines(*streamed)) << piece;
    }
    if (!resolved && !streamed) {
      EXPECT_EQ(resolved.error().ToString(), streamed.error().ToString()) << piece;
    }
  }
  return resolved;
}

/// A set of files that cannot be resolved.
struct BadCase {
  const char* name;
  std::vector<TestFile> files;
  std::vector<const char*> says;  ///< All of this stands in the message.
};

inline void ExpectRefusals(const std::vector<BadCase>& cases, Format format) {
  for (const BadCase& c : cases) {
    const Result<ResolvedMigrations> resolved = ResolveFiles(c.files, format);
    ASSERT_FALSE(resolved) << c.name;
    EXPECT_EQ(resolved.error().kind, ErrorKind::kInvalidArgument) << c.name;
    for (const char* words : c.says) {
      EXPECT_NE(resolved.error().ToString().find(words), std::string::npos)
          << c.name << ": " << words << "\nnot in: " << resolved.error().ToString();
    }
  }
}

}  // namespace whimbrel::migration
