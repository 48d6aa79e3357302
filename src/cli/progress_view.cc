#include "cli/progress_view.h"

#include <cmath>
#include <utility>

#include "whimbrel/base/human.h"

namespace whimbrel::cli {

using report::Progress;
using std::chrono::seconds;

namespace {

/// Shorter things are no news.
constexpr seconds kLong{1};
/// How often a log is told of the same thing.
constexpr seconds kAgain{10};

std::string Seconds(Duration duration) {
  const auto tenths = std::llround(std::chrono::duration<double>(duration).count() * 10);
  const std::string whole = std::to_string(tenths / 10);
  return (tenths >= 100 ? whole : whole + "." + std::to_string(tenths % 10)) + " s";
}

std::string Copied(const Progress& progress, Duration during) {
  const double passed = std::chrono::duration<double>(during).count();
  std::string text = "copied " + HumanBytes(progress.copied_bytes);
  if (passed < 1) return text;
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(progress.copied_bytes) / passed);
  return text + ", " + HumanBytes(rate) + "/s";
}

/// `003_big.sql:88 statement 5 of 40`.
std::string Place(const Progress& progress) {
  std::string text = progress.path.empty() ? progress.version : progress.path;
  if (progress.line > 0) text += ":" + std::to_string(progress.line);
  if (progress.statement == 0) return text;
  text += " statement " + std::to_string(progress.statement);
  if (progress.statements >= progress.statement)
    text += " of " + std::to_string(progress.statements);
  return text;
}

bool IsMigrating(const Progress& progress) { return progress.phase == Progress::Phase::kMigrating; }

}  // namespace

bool ProgressView::IsSame(const Progress& a, const Progress& b) {
  return a.phase == b.phase && a.path == b.path && a.version == b.version &&
         a.statement == b.statement;
}

std::vector<std::string> ProgressView::Update(const Progress& progress, SteadyTime now) {
  if (current_ && IsSame(current_->progress, progress)) {
    current_->progress = progress;
    return Tick(now);
  }
  std::vector<std::string> lines = End(now);
  current_ = Activity{.progress = progress, .began = now, .told = std::nullopt};
  return lines;
}

std::vector<std::string> ProgressView::Tick(SteadyTime now) {
  if (kind_ == Kind::kTerminal || !current_ || now - current_->began < kLong) return {};
  if (current_->told && now - *current_->told < kAgain) return {};
  std::string line = Describe(now);
  if (line.empty()) return {};
  current_->told = now;
  return {std::move(line)};
}

std::vector<std::string> ProgressView::End(SteadyTime now) {
  const std::optional<Activity> ended = std::exchange(current_, std::nullopt);
  if (!ended || now - ended->began < kLong) return {};
  const Progress& progress = ended->progress;
  const Duration took = now - ended->began;
  if (IsMigrating(progress)) {
    if (progress.statement == 0) return {};
    std::string line = Place(progress) + ": took " + Seconds(took);
    if (progress.copied_bytes > 0) line += ", " + Copied(progress, took);
    return {std::move(line)};
  }
  if (progress.detail.empty()) return {};
  // In a log the reason was told before.
  return {std::string(report::ToString(progress.phase)) + ": over after " + Seconds(took) +
          (ended->told ? "" : " (" + progress.detail + ")")};
}

std::string ProgressView::Current(SteadyTime now) const { return current_ ? Describe(now) : ""; }

std::string ProgressView::Describe(SteadyTime now) const {
  const Progress& progress = current_->progress;
  const Duration passed = now - current_->began;
  if (!IsMigrating(progress)) {
    if (progress.detail.empty()) return "";
    return std::string(report::ToString(progress.phase)) + ": " + progress.detail;
  }
  std::string text = "[" + std::to_string(progress.done + 1) + "/" +
                     std::to_string(progress.total) + "] " + Place(progress);
  if (passed >= kLong) text += ", " + Seconds(passed);
  // The server's count of a COPY runs behind ours.
  if (progress.copied_bytes > 0) text += ": " + Copied(progress, passed);
  const bool of_copy = progress.copied_bytes > 0 && progress.activity.starts_with("copying");
  if (!progress.activity.empty() && !of_copy) text += ": " + progress.activity;
  return text;
}

}  // namespace whimbrel::cli
