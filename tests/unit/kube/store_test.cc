#include "whimbrel/kube/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace whimbrel::kube {
namespace {

using Strings = std::vector<std::string>;
using Keys = std::vector<ObjectKey>;

const ObjectKey kA{"ns", "a"};
const ObjectKey kB{"ns", "b"};

/// An object is the list of what it refers to.
Store<Strings> IndexedStore() {
  return Store<Strings>([](const ObjectKey& key, const Strings& names) {
    Strings values;
    for (const std::string& name : names) values.push_back(key.ns + "/" + name);
    return values;
  });
}

void Put(Store<Strings>& store, const ObjectKey& key, Strings names) {
  store.Put(key, std::make_shared<const Strings>(std::move(names)));
}

TEST(StoreTest, KeepsWhatWasSeenLast) {
  Store<Strings> store;
  EXPECT_EQ(store.Get(kA), nullptr);
  Put(store, kA, {"x"});
  Put(store, kB, {});
  Put(store, kA, {"y"});
  EXPECT_EQ(*store.Get(kA), Strings{"y"});
  EXPECT_EQ(store.Keys(), (Keys{kA, kB}));
  EXPECT_EQ(store.size(), 2U);
  EXPECT_TRUE(store.Remove(kA));
  EXPECT_FALSE(store.Remove(kA));
  EXPECT_EQ(store.Get(kA), nullptr);
  EXPECT_EQ(store.size(), 1U);
}

TEST(StoreTest, AnObjectOutlivesItsPlaceInTheStore) {
  Store<Strings> store;
  Put(store, kA, {"x"});
  const auto object = store.Get(kA);
  store.Remove(kA);
  EXPECT_EQ(*object, Strings{"x"});
}

TEST(StoreTest, FindsObjectsByWhatTheyReferTo) {
  auto store = IndexedStore();
  Put(store, kA, {"one", "two"});
  Put(store, kB, {"two"});
  EXPECT_EQ(store.ByIndex("ns/one"), Keys{kA});
  EXPECT_EQ(store.ByIndex("ns/two"), (Keys{kA, kB}));
  EXPECT_EQ(store.ByIndex("other/two"), Keys{});
}

TEST(StoreTest, TheIndexFollowsChangesAndRemovals) {
  auto store = IndexedStore();
  Put(store, kA, {"one", "two"});
  Put(store, kA, {"two", "three"});
  EXPECT_EQ(store.ByIndex("ns/one"), Keys{});
  EXPECT_EQ(store.ByIndex("ns/two"), Keys{kA});
  EXPECT_EQ(store.ByIndex("ns/three"), Keys{kA});
  store.Remove(kA);
  EXPECT_EQ(store.ByIndex("ns/two"), Keys{});
}

TEST(StoreTest, ReadersSeeWholeObjectsWhileOthersWrite) {
  auto store = IndexedStore();
  Put(store, kA, {"1", "1"});
  std::atomic<bool> torn = false;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const auto object = store.Get(kA);
          if (object->at(0) != object->at(1)) torn = true;
          (void)store.ByIndex("ns/1");
        }
      });
    }
    for (int i = 0; i < 1000; ++i) {
      Put(store, kA, {std::to_string(i), std::to_string(i)});
    }
  }
  EXPECT_FALSE(torn);
}

TEST(ObjectKeyTest, IsWrittenAsKubectlWritesIt) {
  EXPECT_EQ((ObjectKey{"ns", "a"}).ToString(), "ns/a");
  EXPECT_EQ((ObjectKey{"", "a"}).ToString(), "a");
}

TEST(ObjectKeyTest, SwappedPartsHaveDifferentHashes) {
  std::unordered_set<std::size_t> hashes;
  for (const ObjectKey& key : {ObjectKey{"a", "b"}, {"b", "a"}, {"a", "a"}, {"ab", ""}}) {
    hashes.insert(std::hash<ObjectKey>()(key));
  }
  EXPECT_EQ(hashes.size(), 4U);
}

TEST(ResourceTest, NamesItsApiVersion) {
  EXPECT_EQ(ConfigMaps().ApiVersion(), "v1");
  EXPECT_EQ(Secrets().ApiVersion(), "v1");
  EXPECT_EQ(Events().ApiVersion(), "events.k8s.io/v1");
}

}  // namespace
}  // namespace whimbrel::kube
