#include "whimbrel/serve/health.h"

#include <utility>
#include <vector>

#include "serve/http_message.h"
#include "whimbrel/base/log.h"

namespace whimbrel::serve {
namespace {

constexpr std::string_view kHealthRoot = "/healthz";
constexpr std::string_view kReadyRoot = "/readyz";

struct Query {
  bool verbose = false;
  std::set<std::string, std::less<>> exclude;
};

// Names of checks need no escapes, so none are understood.
Query ParseQuery(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::string_view key = part.substr(0, part.find('='));
    const std::string_view value = part.substr(std::min(key.size() + 1, part.size()));
    if (key == "verbose") query.verbose = true;
    if (key == "exclude" && !value.empty()) query.exclude.emplace(value);
  }
  return query;
}

std::string WarnOfUnknown(const std::set<std::string, std::less<>>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  return "warn: some health checks cannot be excluded: no matches for " + list + "\n";
}

}  // namespace

void HealthChecks::AddHealthCheck(std::string name, HealthCheck check) {
  health_.insert_or_assign(std::move(name), std::move(check));
}

void HealthChecks::AddReadyCheck(std::string name, HealthCheck check) {
  ready_.insert_or_assign(std::move(name), std::move(check));
}

Response HealthChecks::Handle(const Request& request) {
  for (const auto& [root, checks] : {std::pair(kHealthRoot, &health_), {kReadyRoot, &ready_}}) {
    std::string_view path = request.path;
    if (!path.starts_with(root)) continue;
    path.remove_prefix(root.size());
    if (path.empty() || path == "/") return HandleAll(root, *checks, request.query);
    if (!path.starts_with('/')) continue;
    path.remove_prefix(1);
    if (path == "ping" && checks->empty()) return {.body = "ok"};
    const auto check = checks->find(path);
    if (check == checks->end()) continue;
    if (Passes(root, check->first, check->second)) return {.body = "ok"};
    return {.status = 500, .body = "internal server error: reason withheld\n"};
  }
  return PlainResponse(404);
}

Response HealthChecks::HandleAll(std::string_view root, const Checks& checks,
                                 std::string_view query_text) {
  Query query = ParseQuery(query_text);
  bool failed = false;
  std::string lines;
  for (const auto& [name, check] : checks) {
    const bool excluded = query.exclude.erase(name) > 0;
    const bool passes = excluded || Passes(root, name, check);
    failed = failed || !passes;
    lines += (passes ? "[+]" : "[-]") + name;
    lines += excluded ? " excluded: ok\n" : passes ? " ok\n" : " failed: reason withheld\n";
  }
  if (checks.empty()) lines = "[+]ping ok\n";
  if (!failed && !query.verbose) return {.body = "ok"};
  if (!query.exclude.empty()) lines += WarnOfUnknown(query.exclude);
  return {.status = failed ? 500 : 200,
          .body = lines + (failed ? "healthz check failed\n" : "healthz check passed\n")};
}

bool HealthChecks::Passes(std::string_view root, const std::string& name,
                          const HealthCheck& check) {
  const std::optional<std::string> why_not = check();
  const std::string path = std::string(root) + "/" + name;
  const std::lock_guard lock(mutex_);
  const bool changed = why_not ? failing_.insert(path).second : failing_.erase(path) > 0;
  if (changed && why_not) {
    log::Warning("serve", "a health check fails", {{"check", path}, {"reason", *why_not}});
  } else if (changed) {
    log::Info("serve", "a health check passes again", {{"check", path}});
  }
  return !why_not;
}

}  // namespace whimbrel::serve
