#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "kube/object_json.h"
#include "support/api_server.h"
#include "unit/kube/connect.h"
#include "whimbrel/kube/event_recorder.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;
using testing::SharedApiServer;

TEST(EventRecorderApiTest, EventsAreWhatKubectlShows) {
  auto& server = SharedApiServer();
  const std::string ns = server.CreateNamespace();
  const auto client = Connect(server.kubeconfig());
  const auto about =
      client->Create(ConfigMaps(), {{"metadata", {{"name", "quickstart"}, {"namespace", ns}}}}, {});
  ASSERT_TRUE(about) << about.error().ToString();
  const ObjectReference reference{.resource = ConfigMaps(),
                                  .key = {ns, "quickstart"},
                                  .uid = StringAt(*about, "metadata", "uid")};
  {
    EventRecorder recorder(*client, "whimbrel.dev/controller", "pod-1");
    recorder.Record(reference, EventType::kNormal, "Applied", "Migrate", "applied 0012");
    recorder.Record(reference, EventType::kNormal, "Applied", "Migrate", "applied 0013");
    recorder.Record(reference, EventType::kWarning, "Failed", "Migrate", "no such table");
    for (int i = 0; i < 3; ++i) {
      recorder.Record(reference, EventType::kWarning, "Failed", "Migrate", "no such table");
    }
  }
  const json list =
      json::parse(server.MustKubectl({"get", "events.v1.events.k8s.io", "-n", ns, "-o", "json"}));
  std::map<std::string, json> by_note;
  for (const json& event : list.at("items")) by_note[event.at("note")] = event;
  ASSERT_EQ(by_note.size(), 3U) << list.dump(2);
  EXPECT_FALSE(by_note["applied 0012"].contains("series"));
  EXPECT_EQ(by_note["no such table"]["series"]["count"], 4) << by_note["no such table"].dump(2);
  EXPECT_EQ(by_note["no such table"]["type"], "Warning");

  const std::string described =
      server.MustKubectl({"describe", "configmap", "quickstart", "-n", ns});
  for (const char* text : {"applied 0012", "applied 0013", "no such table", "(x4 over"}) {
    EXPECT_NE(described.find(text), std::string::npos) << text << " in\n" << described;
  }
}

}  // namespace
}  // namespace whimbrel::kube
