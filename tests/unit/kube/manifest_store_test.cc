#include "kube/manifest_store.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace whimbrel::kube {
namespace {

using nlohmann::json;

json Named(const std::string& name) { return {{"metadata", {{"name", name}}}}; }

std::vector<std::string> NamesOf(const std::vector<ManifestStore::Ptr>& objects) {
  std::vector<std::string> names;
  for (const auto& object : objects) names.push_back(object->at("metadata").at("name"));
  return names;
}

TEST(ManifestStore, EveryChangeGetsTheNextVersion) {
  ManifestStore store;
  EXPECT_EQ(store.version(), 0u);
  const auto first = store.Put(ConfigMaps(), {"ns", "a"}, Named("a"));
  EXPECT_EQ(first->at("metadata").at("resourceVersion"), "1");
  const auto second = store.Put(ConfigMaps(), {"ns", "a"}, Named("a"));
  EXPECT_EQ(second->at("metadata").at("resourceVersion"), "2");
  EXPECT_EQ(first->at("metadata").at("resourceVersion"), "1") << "stored objects never change";
  EXPECT_TRUE(store.Remove(ConfigMaps(), {"ns", "a"}));
  EXPECT_EQ(store.version(), 3u);
  EXPECT_EQ(store.Find(ConfigMaps(), {"ns", "a"}), nullptr);
  EXPECT_FALSE(store.Remove(ConfigMaps(), {"ns", "a"}));
}

TEST(ManifestStore, ListsOneResourceOfOneNamespaceOrOfAll) {
  ManifestStore store;
  store.Put(Secrets(), {"x", "s"}, Named("s"));
  store.Put(ConfigMaps(), {"y", "b"}, Named("b"));
  store.Put(ConfigMaps(), {"x", "a"}, Named("a"));
  EXPECT_EQ(NamesOf(store.List(ConfigMaps(), "")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(NamesOf(store.List(ConfigMaps(), "y")), std::vector<std::string>{"b"});
  EXPECT_TRUE(store.List(Events(), "").empty());
}

TEST(ManifestStore, TellsWhatHappenedSince) {
  ManifestStore store;
  store.Put(ConfigMaps(), {"x", "a"}, Named("a"));
  store.Put(Secrets(), {"x", "s"}, Named("s"));
  store.Put(ConfigMaps(), {"x", "a"}, Named("a"));
  store.Put(ConfigMaps(), {"y", "b"}, Named("b"));
  store.Remove(ConfigMaps(), {"x", "a"});
  const auto events = store.EventsAfter(1, ConfigMaps(), "x");
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].type, WatchEventType::kModified);
  EXPECT_EQ((*events)[1].type, WatchEventType::kDeleted);
  EXPECT_EQ((*events)[1].object->at("metadata").at("resourceVersion"), "5")
      << "a deletion has a version of its own";
  EXPECT_TRUE(store.EventsAfter(5, ConfigMaps(), "")->empty());
}

TEST(ManifestStore, ForgetsWhatIsTooLongAgo) {
  ManifestStore store;
  for (std::size_t i = 0; i < ManifestStore::kMaxEvents + 2; ++i) {
    store.Put(ConfigMaps(), {"x", "a"}, Named("a"));
  }
  EXPECT_FALSE(store.EventsAfter(1, ConfigMaps(), ""));
  EXPECT_EQ(store.EventsAfter(2, ConfigMaps(), "")->size(), ManifestStore::kMaxEvents);
}

TEST(ManifestStore, KeepsOnlyTheNewestOfAResource) {
  ManifestStore store;
  for (const char* name : {"a", "b", "c"}) store.Put(Events(), {"x", name}, Named(name));
  store.Put(Events(), {"x", "a"}, Named("a"));
  store.Put(Secrets(), {"x", "s"}, Named("s"));
  store.KeepNewest(Events(), 2);
  EXPECT_EQ(NamesOf(store.List(Events(), "")), (std::vector<std::string>{"a", "c"}));
  EXPECT_EQ(store.List(Secrets(), "").size(), 1u);
}

}  // namespace
}  // namespace whimbrel::kube
