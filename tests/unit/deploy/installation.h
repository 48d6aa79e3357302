#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/api_server.h"
#include "support/eventually.h"

namespace whimbrel::deploy::testing {

inline const std::filesystem::path kDeploy = WHIMBREL_SOURCE_DIR "/deploy";
inline constexpr const char* kOperator = "system:serviceaccount:whimbrel-system:whimbrel";

/// What `kubectl apply` of a file with strict validation says; empty when it was taken.
inline std::string ApplyRefusal(const whimbrel::testing::ApiServer& server,
                                const std::filesystem::path& file, bool dry_run = false) {
  std::vector<std::string> arguments = {"apply", "--validate=strict", "-f", file};
  if (dry_run) arguments.emplace_back("--dry-run=server");
  const whimbrel::testing::ProcessResult result = server.Kubectl(std::move(arguments));
  return result.exit_code == 0 ? "" : result.out + result.err;
}

/// What the server says to `object` when `user` creates it, as a dry run; empty when it is taken.
inline std::string CreateRefusal(const whimbrel::testing::ApiServer& server,
                                 const std::string& user, const nlohmann::json& object) {
  const whimbrel::testing::ProcessResult result =
      server.Kubectl({"create", "--dry-run=server", "--as=" + user, "-f", "-"}, object.dump());
  return result.exit_code == 0 ? "" : result.err;
}

/// The shared server with deploy/install.yaml applied, once for all tests.
inline whimbrel::testing::ApiServer& InstalledServer() {
  static whimbrel::testing::ApiServer& server = [&]() -> whimbrel::testing::ApiServer& {
    whimbrel::testing::ApiServer& fresh = whimbrel::testing::SharedApiServer();
    EXPECT_EQ(ApplyRefusal(fresh, kDeploy / "install.yaml"), "");
    fresh.AwaitEstablished("databasemigrations.whimbrel.dev");
    return fresh;
  }();
  return server;
}

/// May `user` do this? Without a namespace: in all of them.
struct Attempt {
  std::string verb;
  std::string group;
  std::string resource;  ///< `pods` or `pods/log`.
  std::string name;
};

inline bool Allowed(const whimbrel::testing::ApiServer& server, const std::string& user,
                    const std::string& ns, const Attempt& attempt) {
  const std::size_t slash = attempt.resource.find('/');
  nlohmann::json what = {{"verb", attempt.verb},
                         {"group", attempt.group},
                         {"resource", attempt.resource.substr(0, slash)},
                         {"name", attempt.name},
                         {"namespace", ns}};
  if (slash != std::string::npos) what["subresource"] = attempt.resource.substr(slash + 1);
  const nlohmann::json review = {{"apiVersion", "authorization.k8s.io/v1"},
                                 {"kind", "SubjectAccessReview"},
                                 {"spec",
                                  {{"user", user},
                                   {"groups", {"system:serviceaccounts", "system:authenticated"}},
                                   {"resourceAttributes", std::move(what)}}}};
  const whimbrel::testing::HttpAnswer answer =
      server.Request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review.dump());
  EXPECT_EQ(answer.status, 201) << answer.body;
  return nlohmann::json::parse(answer.body).at("status").at("allowed");
}

}  // namespace whimbrel::deploy::testing
