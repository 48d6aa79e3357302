#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "kube/object_json.h"
#include "kube/rest_client_parts.h"
#include "kube/token_source.h"
#include "scripted_transport.h"
#include "support/fake_clock.h"

namespace whimbrel::kube {

inline const ObjectKey kKey{"ns", "a"};

inline std::string HeaderOf(const HttpRequest& request, const std::string& name) {
  std::string values;
  for (const auto& [key, value] : request.headers) {
    if (key == name) values += values.empty() ? value : " and " + value;
  }
  return values;
}

inline Json ConfigMap(const std::string& name) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", "ns"}}}};
}

inline std::string Event(const std::string& type, const Json& object) {
  return Json{{"type", type}, {"object", object}}.dump() + "\n";
}

class RestClientTest : public ::testing::Test {
 protected:
  RestClientTest() { Build({.user_agent = "whimbrel/test"}); }

  void Build(RestClientOptions options) {
    RestClientParts parts;
    parts.transport = std::make_unique<ScriptedTransport>(script_);
    parts.credentials = std::make_unique<TokenSource>(
        Secret(), "/token",
        [this](const std::string&) -> Result<std::string> {
          return std::exchange(token_, next_token_);
        },
        clock_);
    parts.server = "h:1";
    parts.options = std::move(options);
    client_ = AssembleRestClient(std::move(parts), clock_);
  }

  ApiResult<Json> Get() { return client_->Get(ConfigMaps(), kKey, {}); }

  ApiResult<std::string> List(std::vector<std::string>* names, ListOptions options = {}) {
    return client_->List(
        ConfigMaps(), options,
        [names](Json&& object) { names->push_back(StringAt(object, "metadata", "name")); }, {});
  }

  ApiResult<void> Watch(std::vector<std::string>* events) {
    return client_->Watch(
        ConfigMaps(), {.resource_version = "7"},
        [events](WatchEventType type, Json&& object) {
          const char* const names[] = {"added ", "modified ", "deleted ", "bookmark "};
          events->push_back(names[static_cast<int>(type)] + StringAt(object, "metadata", "name"));
        },
        {});
  }

  testing::FakeClock clock_{testing::FakeClock::Sleep::kJumps};
  std::string token_ = "secret-token";  // In the file; and after that was read:
  std::string next_token_ = token_;
  ScriptedTransport::Script script_;
  std::unique_ptr<ObjectClient> client_;
};

}  // namespace whimbrel::kube
