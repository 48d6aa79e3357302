#include "cli/progress_printer.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <ostream>
#include <system_error>

#include "whimbrel/base/redact.h"

namespace whimbrel::cli {

using report::Progress;
using std::chrono::seconds;

namespace {

/// How often time passes for a person, and how often the same file is told of in JSON.
constexpr seconds kSecond{1};
/// Between two drawings of the line that is overwritten.
constexpr std::chrono::milliseconds kShortestGap{100};
constexpr const char* kEraseLine = "\r\x1b[K";
constexpr std::size_t kUsualColumns = 80;

/// A line that wraps could not be overwritten.
std::size_t Columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

}  // namespace

ProgressPrinter::ProgressPrinter(Form form, std::ostream& out)
    : form_(form),
      out_(out),
      view_(form == Form::kTerminal ? ProgressView::Kind::kTerminal : ProgressView::Kind::kLog) {
  try {
    clock_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
  } catch (const std::system_error&) {
    // Then only what changes is shown.
  }
}

ProgressPrinter::~ProgressPrinter() {
  if (clock_.joinable()) {
    clock_.request_stop();
    clock_.join();
  }
  if (form_ == Form::kJson) return;
  drawn_at_ = {};
  Print(view_.End(Clock::System().SteadyNow()));
}

void ProgressPrinter::Show(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  if (form_ != Form::kJson) return Print(view_.Update(progress, Clock::System().SteadyNow()));
  const bool news = latest_.phase != progress.phase || latest_.path != progress.path;
  latest_ = progress;
  if (news || Clock::System().SteadyNow() - told_at_ >= kSecond) ShowJson();
}

void ProgressPrinter::ShowJson() {
  if (told_ == latest_) return;
  nlohmann::json line = report::ToJson(latest_);
  line["time"] = FormatRfc3339(Clock::System().SystemNow());
  out_ << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" << std::flush;
  told_ = latest_;
  told_at_ = Clock::System().SteadyNow();
}

void ProgressPrinter::Loop(const std::stop_token& stop) {
  while (Clock::System().SleepFor(kSecond, stop)) {
    const std::lock_guard lock(mutex_);
    if (form_ == Form::kJson) {
      ShowJson();
    } else {
      Print(view_.Tick(Clock::System().SteadyNow()));
    }
  }
}

void ProgressPrinter::Print(const std::vector<std::string>& lines) {
  const SteadyTime now = Clock::System().SteadyNow();
  // A thousand small files a second are nothing that anybody could read.
  if (lines.empty() && drawn_ && now - drawn_at_ < kShortestGap) return;
  std::string text = drawn_ ? kEraseLine : "";
  for (const std::string& line : lines) text += line + "\n";
  std::string current;
  if (form_ == Form::kTerminal) current = view_.Current(now);
  // One column stays free: terminals differ in what they do after the last one.
  if (!current.empty()) text += TruncateUtf8(current, Columns() - 1);
  if (!text.empty()) out_ << text << std::flush;
  drawn_ = !current.empty();
  drawn_at_ = now;
}

}  // namespace whimbrel::cli
