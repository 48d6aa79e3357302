#pragma once

#include <string_view>

namespace whimbrel::migration {

/// What a `--` comment that stands at the beginning of a line says about the sections of its file.
enum class SectionMarker {
  kNone,
  kDecoration,  ///< Nothing, or nothing but `=`, `-`, `*`, `#`, box drawing.
  kUp,
  kDown,
  kMaybeDown,  ///< `-- Down: …`, `-- Down migration of …`: a heading, or a remark. Nobody can tell.
  kForeign,  ///< A directive of a tool whose format this is not.
};

/// Reads the text of a comment after its `--`. Markers are, in any case and between decorations:
///   [Migration] Up|Down [Migration] [section] [(…)] [:]
///   with the word Migration also with a text after `:`, `(` or `-`
///   +migrate Up|Down …                                    (rubenv/sql-migrate)
/// which covers the forms of design §4 and of node-pg-migrate.
SectionMarker ReadSectionMarker(std::string_view comment);

/// Whose directive a comment of kind kForeign is: `goose`.
std::string_view ForeignTool(std::string_view comment);

}  // namespace whimbrel::migration
