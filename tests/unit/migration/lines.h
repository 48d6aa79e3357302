#pragma once

#include <string>

#include "sources.h"
#include "whimbrel/migration/resolved_migration.h"

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

}  // namespace whimbrel::migration
