#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// Looks in a text that comes in pieces for a backslash before a letter with which a command that
/// is carried out begins. May see one where there is none, misses none, and costs nothing where
/// there is no backslash.
class PsqlHint {
 public:
  void Feed(std::string_view piece);
  [[nodiscard]] bool found() const { return found_; }

 private:
  bool after_backslash_ = false;
  bool found_ = false;
};

/// A file as psql would have read it.
struct PsqlExpansion {
  SourceFilePtr file;                 ///< The one that was given when it holds no command of psql.
  std::vector<std::string> included;  ///< Paths of the files that are now part of it.
};

/// Carries out the commands of psql in a file that people write into migrations:
///   \i, \include            the file of that path within the source, as psql run in the source's
///                           root finds it; where there is none, beside the including file
///   \ir, \include_relative  the file of that path beside the including file
///   \set, and :name         see sql::PsqlScanner; settings of psql itself that change how a file
///                           runs (AUTOCOMMIT, ON_ERROR_STOP, SINGLELINE) are refused where they
///                           differ from what Whimbrel does, others are variables like any
///   \echo, \qecho, \warn    vanish
/// Every other command stays in the text, where the splitter refuses it. Errors (kInvalidArgument)
/// say where in which file: a file that is not in the source, or leads out of it, inclusions that
/// go round in a circle, deeper than 16, more than 10,000, or larger than a file may be together;
/// also kSourceChanged and what reading says.
Result<PsqlExpansion> ExpandPsql(const Source& source, const SourceFilePtr& file);

}  // namespace whimbrel::migration
