#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sources.h"
#include "whimbrel/migration/resolver.h"

namespace whimbrel::migration {

/// A migration as a line: `V 001 users.sql [create users] up=… sum=…`.
inline std::string Line(const ResolvedMigration& m) {
  std::string line = std::string(1, static_cast<char>(m.kind)) + " " + m.version.display() + " [" +
                     m.description + "] " + m.path + " up=<" + ReadAll(m.up.Open()) + "> at " +
                     m.up.start.ToString();
  if (m.down) {
    line += " down=<" + ReadAll(m.down->Open()) + "> at " + m.down->start.ToString() + " of " +
            m.down->file->path() + " " + m.down_sum.substr(0, 8);
  }
  return line + " " + m.sum.substr(0, 12) + " " + m.raw_sum.substr(0, 12);
}

inline std::string Lines(const ResolvedMigrations& resolved) {
  std::string lines;
  for (const ResolvedMigration& migration : resolved.versioned) lines += Line(migration) + "\n";
  for (const ResolvedMigration& migration : resolved.repeatable) lines += Line(migration) + "\n";
  for (const std::string& path : resolved.ignored) lines += "ignored " + path + "\n";
  return lines;
}

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
