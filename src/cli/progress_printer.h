#pragma once

#include <iosfwd>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cli/progress_view.h"

namespace whimbrel::cli {

/// Shows the progress of one run on a stream: as JSON lines, as one line that is overwritten (on a
/// terminal), or as lines of a log. Owns the thread that lets time pass. Thread-safe.
class ProgressPrinter {
 public:
  enum class Form { kJson, kTerminal, kLog };

  ProgressPrinter(Form form, std::ostream& out);
  /// Takes away the line that is overwritten.
  ~ProgressPrinter();
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  void Show(const report::Progress& progress);

 private:
  void ShowJson();
  void Print(const std::vector<std::string>& lines);
  void Loop(const std::stop_token& stop);

  const Form form_;
  std::ostream& out_;
  std::mutex mutex_;
  ProgressView view_;
  bool drawn_ = false;  ///< A line that will be overwritten stands there.
  SteadyTime drawn_at_{};
  report::Progress latest_;
  report::Progress told_;  ///< In JSON.
  SteadyTime told_at_{};
  std::jthread clock_;  // Last: it is joined before the rest goes.
};

}  // namespace whimbrel::cli
