#include "cli/wait_resource.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "whimbrel/controller/api.h"

namespace whimbrel::cli {
namespace {

using controller::Condition;
using kube::ApiErrorReason;
using State = Sighting::State;

/// `dbmig` and whatever else kubectl takes for it.
bool IsOurType(std::string_view type) {
  const std::string_view name = type.substr(0, type.find('.'));
  const std::string_view group = type.substr(name.size());
  const bool named = name == "dbmig" || name == "databasemigration" || name == "databasemigrations";
  return named && (group.empty() || group == ".whimbrel.dev" || group == ".v1alpha1.whimbrel.dev");
}

std::string Saying(const Condition& condition) {
  return condition.reason + (condition.message.empty() ? "" : ": " + condition.message);
}

}  // namespace

Result<std::string> ParseResourceName(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string name = slash == std::string::npos ? "" : text.substr(slash + 1);
  if (name.empty() || name.find('/') != std::string::npos || !IsOurType(text.substr(0, slash))) {
    return Fail(ErrorKind::kInvalidArgument,
                "--resource " + text + ": write it as dbmig/NAME, the namespace with -n");
  }
  return name;
}

Sighting JudgeResource(const nlohmann::json& object) {
  const controller::DatabaseMigration found = controller::ParseDatabaseMigration(object);
  const std::string name = found.metadata.key.ToString();
  const controller::Status& status = found.status;
  if (found.metadata.deleting) return {State::kNotYet, name + " is being deleted"};
  const Condition* ready = status.Find("Ready");
  if (ready == nullptr || status.observed_generation != found.metadata.generation ||
      ready->observed_generation != found.metadata.generation) {
    return {State::kNotYet, name + " is not looked at yet in its generation " +
                                std::to_string(found.metadata.generation)};
  }
  if (status.IsTrue("Stalled")) {
    return {State::kStalled, name + ": " + Saying(*status.Find("Stalled"))};
  }
  if (ready->status == controller::Truth::kTrue) {
    return {State::kReady,
            name + (status.current_version.empty() ? std::string()
                                                   : " at version " + status.current_version)};
  }
  return {State::kNotYet, name + ": " + Saying(*ready)};
}

Sighting JudgeApiError(const kube::ApiError& error, const kube::ObjectKey& key) {
  switch (error.reason) {
    case ApiErrorReason::kNotFound:
      // apimachinery, api/errors, NewNotFound; without the type there is no such sentence.
      if (error.message.find("\"" + key.name + "\" not found") != std::string::npos) {
        return {State::kNotYet, key.ToString() + " does not exist yet"};
      }
      return {State::kUsage,
              "the API server does not know DatabaseMigrations: install Whimbrel's CRD"};
    case ApiErrorReason::kForbidden:
      return {State::kUsage, error.ToString() +
                                 "; it needs the verb get on databasemigrations.whimbrel.dev, "
                                 "resourceNames [" +
                                 key.name + "], in namespace " + key.ns};
    case ApiErrorReason::kUnauthorized:
    case ApiErrorReason::kInvalid:
      return {State::kUsage, error.ToString()};
    default:
      return {State::kNotYet, error.ToString()};
  }
}

}  // namespace whimbrel::cli
