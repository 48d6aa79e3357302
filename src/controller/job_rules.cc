#include "controller/job_rules.h"

#include <algorithm>
#include <array>
#include <regex>
#include <string_view>

#include "controller/json_fields.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;

/// As the CRD words them.
constexpr std::string_view kNoPod =
    "must not be set when execution.mode is InProcess: then there is no pod";
constexpr std::string_view kKey =
    "must have keys such as team or example.com/team, as Kubernetes wants them";
constexpr std::string_view kOwnKey =
    "must not have keys under whimbrel.dev/, nor name, component, managed-by or part-of of "
    "app.kubernetes.io/: they are Whimbrel's own";
constexpr std::string_view kToleration =
    "must have a key, or operator Exists; a value only without that, and tolerationSeconds only "
    "with effect NoExecute";

/// A prefix of at most 253 characters and a name of at most 63.
constexpr std::size_t kMaxKeyBytes = 317;

void Refuse(const std::string& path, std::string_view message, std::vector<std::string>& messages) {
  messages.push_back("spec.job" + path + ": Invalid value: " + std::string(message));
}

template <class Predicate>
bool HasKey(const json& map, Predicate predicate) {
  if (!map.is_object()) return false;
  return std::ranges::any_of(map.items(),
                             [&](const auto& entry) { return predicate(entry.key()); });
}

bool IsMisspelt(const std::string& key) {
  static const std::regex pattern(
      "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
      "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$");
  // std::regex recurses over what it matches: unbounded text could exhaust the stack.
  return key.size() > kMaxKeyBytes || !std::regex_search(key, pattern);
}

bool IsOurs(const std::string& key) {
  constexpr std::array<std::string_view, 4> kOurs = {
      "app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/managed-by",
      "app.kubernetes.io/part-of"};
  return key.starts_with("whimbrel.dev/") || std::ranges::find(kOurs, key) != kOurs.end();
}

/// The same that the API server would say about the Job, but about the field of the user.
bool IsNoToleration(const json& toleration) {
  const bool exists = Text(toleration, "operator") == "Exists";
  const bool counts = Member(toleration, "tolerationSeconds").is_number();
  return (!exists && !Member(toleration, "key").is_string()) ||
         (exists && Member(toleration, "value").is_string()) ||
         (counts && Text(toleration, "effect") != "NoExecute");
}

}  // namespace

void CheckJobRules(const json& spec, std::vector<std::string>& messages) {
  const json& job = Member(spec, "job");
  if (!job.is_object()) return;
  if (Text(Member(spec, "execution"), "mode") != "Job") Refuse("", kNoPod, messages);
  for (const char* field : {"podLabels", "podAnnotations", "nodeSelector"}) {
    if (HasKey(Member(job, field), IsMisspelt)) Refuse(std::string(".") + field, kKey, messages);
  }
  for (const char* field : {"podLabels", "podAnnotations"}) {
    if (HasKey(Member(job, field), IsOurs)) Refuse(std::string(".") + field, kOwnKey, messages);
  }
  const json& tolerations = Member(job, "tolerations");
  if (!tolerations.is_array()) return;
  for (std::size_t i = 0; i < tolerations.size(); ++i) {
    if (!IsNoToleration(tolerations[i])) continue;
    Refuse(".tolerations[" + std::to_string(i) + "]", kToleration, messages);
  }
}

}  // namespace whimbrel::controller
