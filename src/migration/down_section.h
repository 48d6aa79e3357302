#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// Looks in a text that comes in pieces for a line that may mark a section. Knows nothing of
/// strings and block comments, so it may see one where there is none, but it misses none; and it is
/// fast, since few files have sections and all files must be looked at.
class SectionHint {
 public:
  void Feed(std::string_view piece);
  /// After the whole text was fed.
  [[nodiscard]] bool found() const { return found_ || IsMarker(); }

 private:
  enum class Where { kIndent, kComment, kElsewhere };

  [[nodiscard]] bool IsMarker() const;
  void EndLine();

  Where where_ = Where::kIndent;
  std::string line_;  ///< The beginning of this line, in kComment from its `--` on.
  bool found_ = false;
};

struct DownSection {
  std::uint64_t begin = 0;      ///< Of the marker's line, or of the ruled lines above it.
  bool has_statements = false;  ///< After the marker; comments alone undo nothing.
};

/// Finds the section of a Numbered file that undoes it: from a `-- Migration Down` in a line of its
/// own, outside of strings, statements and block comments, to the end. nullopt when there is none.
/// Errors, with their position: where the file cannot be cut into statements, where it is in doubt
/// whether a comment is the marker while statements stand on both sides of it, where up part and
/// down part are not one each and in this order, and where it is written for another tool.
Result<std::optional<DownSection>> FindDownSection(const SourceFile& file);

}  // namespace whimbrel::migration
