#include "whimbrel/report/termination_message.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "whimbrel/base/redact.h"

namespace whimbrel::report {
namespace {

using nlohmann::ordered_json;

/// For whoever reads it raw, and for what is left when somebody else cuts it: kubectl prints it in
/// this order.
constexpr std::array kOrder = {
    "schemaVersion", "truncated",      "succeeded",     "transient",        "uncounted",
    "failure",       "currentVersion", "targetVersion", "appliedCount",     "appliedThisRun",
    "pendingCount",  "sourceDigest",   "sourceFiles",   "lockWaitMs",       "format",
    "set",           "serverVersion",  "database",      "systemIdentifier", "formatReason",
    "notices",       "applied",        "pending"};

/// What may be there: entries of the lists, bytes of the texts.
struct Limits {
  std::size_t pending, applied, notices;
  std::size_t notice;   ///< Text of a notice, the hint, why this format.
  std::size_t message;  ///< Of the failure.
  std::size_t name;     ///< Versions, files, names, descriptions.
};

/// From the whole to what fits whatever the texts hold: a control character takes six bytes.
constexpr std::array kLadder = {
    Limits{20, 20, 20, 512, 1024, 512}, Limits{10, 20, 20, 256, 1024, 256},
    Limits{5, 20, 10, 256, 1024, 256},  Limits{5, 10, 10, 256, 1024, 256},
    Limits{2, 5, 5, 256, 1024, 256},    Limits{0, 5, 5, 256, 1024, 256},
    Limits{0, 2, 5, 256, 1024, 256},    Limits{0, 0, 2, 256, 1024, 256},
    Limits{0, 0, 0, 256, 1024, 128},    Limits{0, 0, 0, 256, 512, 128},
    Limits{0, 0, 0, 128, 256, 64},      Limits{0, 0, 0, 36, 36, 36},
};
/// `sha256:` and 64 digits: a piece of it would be another digest.
constexpr std::size_t kDigestBytes = 71;

void Cut(std::string& text, std::size_t most) {
  if (text.size() > most) text = TruncateUtf8(text, most);
}

void CutFailure(Failure& failure, const Limits& limits) {
  Cut(failure.version, limits.name);
  Cut(failure.position.file, limits.name);
  Cut(failure.sql_state, limits.name);
  Cut(failure.message, limits.message);
  Cut(failure.hint, limits.notice);
}

void CutLists(RunReport& report, const Limits& limits) {
  report.pending.resize(std::min(report.pending.size(), limits.pending));
  report.applied.resize(std::min(report.applied.size(), limits.applied));
  report.notices.resize(std::min(report.notices.size(), limits.notices));
  for (PendingMigration& pending : report.pending) {
    for (auto* text : {&pending.version, &pending.description, &pending.path})
      Cut(*text, limits.name);
  }
  for (AppliedMigration& applied : report.applied) {
    for (auto* text : {&applied.version, &applied.kind, &applied.description, &applied.checksum})
      Cut(*text, limits.name);
  }
  for (Notice& notice : report.notices) Cut(notice.message, limits.notice);
}

RunReport CutTo(RunReport report, const Limits& limits) {
  if (report.failure) CutFailure(*report.failure, limits);
  for (auto* text : {&report.current_version, &report.target_version, &report.format, &report.set,
                     &report.server_version, &report.database, &report.system_identifier})
    Cut(*text, limits.name);
  Cut(report.format_reason, limits.notice);
  Cut(report.source_digest, kDigestBytes);
  CutLists(report, limits);
  return report;
}

std::string Write(const RunReport& report, bool truncated) {
  nlohmann::json value = ToJson(report);
  if (truncated) value["truncated"] = true;
  ordered_json out;
  for (const char* key : kOrder) {
    if (value.contains(key)) out[key] = value[key];
  }
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

std::string TerminationMessage(const RunReport& report, std::size_t max_bytes) {
  std::string text = Write(report, false);
  for (const Limits& limits : kLadder) {
    if (text.size() <= max_bytes) return text;
    text = Write(CutTo(report, limits), true);
  }
  return text;
}

}  // namespace whimbrel::report
