#pragma once

namespace whimbrel::cli {

/// The contract that scripts rely on (reference/ecosystem.md §4.2).
enum class ExitCode {
  kReady = 0,      ///< Every database is where it should be.
  kRetryable = 1,  ///< Not there yet, and trying again may help.
  kUsage = 2,    ///< Wrong command line, configuration or manifest: a person must change the input.
  kStalled = 3,  ///< A migration or a database needs a person.
};

}  // namespace whimbrel::cli
