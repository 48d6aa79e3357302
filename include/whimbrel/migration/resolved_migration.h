#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/error.h"
#include "whimbrel/base/source_position.h"
#include "whimbrel/migration/source.h"
#include "whimbrel/migration/version.h"

namespace whimbrel::migration {

enum class Format { kAuto, kNumbered, kFlyway };
/// As `source.format` spells it.
[[nodiscard]] std::string_view ToString(Format format);
[[nodiscard]] std::optional<Format> ParseFormat(std::string_view text);

/// Flyway's words. The letters are what the ledger stores.
enum class Kind : char { kVersioned = 'V', kRepeatable = 'R', kBaseline = 'B', kUndo = 'U' };

/// A part of a file that is run as one migration.
struct Script {
  SourceFilePtr file;
  std::uint64_t begin = 0;  ///< First byte, after a BOM.
  std::uint64_t end = 0;    ///< One past the last byte.
  SourcePosition start;     ///< Of `begin`; what sql::SplitOptions::start wants.

  /// The bytes of the part, as a stream. A file of a folder that has become shorter is an error of
  /// Read (kSourceChanged). The stream may not outlive this script.
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> Open() const;

  /// Where a place in the script's text stands in the file that a person wrote. Every position
  /// that leaves the engine goes through here, once, after all reckoning with lines and characters.
  [[nodiscard]] SourcePosition Locate(const SourcePosition& position) const {
    return file->Locate(position);
  }
};

/// What was found in the source for one version or one repeatable (Flyway's ResolvedMigration).
struct ResolvedMigration {
  Kind kind = Kind::kVersioned;
  Version version;          ///< Empty for repeatables.
  std::string description;  ///< As the format spells it for people.
  std::string path;         ///< Within the source; Flyway's `script`.
  /// The sum by which an edit is noticed, in the format's own spelling: Numbered has the SHA-256 of
  /// the normalised up part (design §3, Sums), Flyway its signed CRC32 in decimal.
  std::string sum;
  std::string raw_sum;  ///< SHA-256 of the exact bytes of `up`.
  Script up;
  /// What undoes it; absent too when a down section holds no statement (comments only).
  std::optional<Script> down;
  std::string down_sum;  ///< SHA-256 of the normalised down part; empty without one.

  /// Identity in the ledger: the canonical version, or the repeatable's description.
  [[nodiscard]] const std::string& id() const {
    return kind == Kind::kRepeatable ? description : version.canonical();
  }
  /// How people call it: `2` or `R view_orders`.
  [[nodiscard]] std::string Label() const;
};

/// Everything that one resolver made of a source.
struct ResolvedMigrations {
  Format format = Format::kNumbered;
  std::string format_reason;                  ///< Why Auto chose it; empty when it was asked for.
  std::vector<ResolvedMigration> versioned;   ///< By version, ascending, no two equal.
  std::vector<ResolvedMigration> repeatable;  ///< By description, no two equal.
  std::vector<std::string> ignored;           ///< Paths that the format has no use for.
};

}  // namespace whimbrel::migration
