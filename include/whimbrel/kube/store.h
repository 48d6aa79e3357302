#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

/// A thread-safe map of what was seen last, with one optional index (client-go's Indexer). T is a
/// small typed value, never a whole JSON object: 0.4 KB instead of 25 KB a resource
/// (reference/controller.md §15). Objects are immutable once stored.
template <class T>
class Store {
 public:
  using Ptr = std::shared_ptr<const T>;
  using IndexFunction = std::function<std::vector<std::string>(const ObjectKey&, const T&)>;

  explicit Store(IndexFunction index = {}) : index_(std::move(index)) {}

  [[nodiscard]] Ptr Get(const ObjectKey& key) const;
  [[nodiscard]] std::vector<ObjectKey> Keys() const;
  /// Keys of the objects whose index function named `value`.
  [[nodiscard]] std::vector<ObjectKey> ByIndex(const std::string& value) const;
  void Put(const ObjectKey& key, Ptr object);
  bool Remove(const ObjectKey& key);
  [[nodiscard]] std::size_t size() const;

 private:
  void Unindex(const ObjectKey& key, const T& object);

  IndexFunction index_;
  mutable std::mutex mutex_;
  std::map<ObjectKey, Ptr> objects_;
  std::map<std::string, std::set<ObjectKey>> by_index_;
};

template <class T>
typename Store<T>::Ptr Store<T>::Get(const ObjectKey& key) const {
  std::lock_guard lock(mutex_);
  auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : it->second;
}

template <class T>
std::vector<ObjectKey> Store<T>::Keys() const {
  std::lock_guard lock(mutex_);
  std::vector<ObjectKey> keys;
  keys.reserve(objects_.size());
  for (const auto& [key, object] : objects_) keys.push_back(key);
  return keys;
}

template <class T>
std::vector<ObjectKey> Store<T>::ByIndex(const std::string& value) const {
  std::lock_guard lock(mutex_);
  auto it = by_index_.find(value);
  if (it == by_index_.end()) return {};
  return {it->second.begin(), it->second.end()};
}

template <class T>
void Store<T>::Unindex(const ObjectKey& key, const T& object) {
  if (!index_) return;
  for (const std::string& value : index_(key, object)) {
    auto it = by_index_.find(value);
    if (it == by_index_.end()) continue;
    it->second.erase(key);
    if (it->second.empty()) by_index_.erase(it);
  }
}

template <class T>
void Store<T>::Put(const ObjectKey& key, Ptr object) {
  std::lock_guard lock(mutex_);
  Ptr& slot = objects_[key];
  if (slot) Unindex(key, *slot);
  slot = std::move(object);
  if (!index_) return;
  for (const std::string& value : index_(key, *slot)) by_index_[value].insert(key);
}

template <class T>
bool Store<T>::Remove(const ObjectKey& key) {
  std::lock_guard lock(mutex_);
  auto it = objects_.find(key);
  if (it == objects_.end()) return false;
  Unindex(key, *it->second);
  objects_.erase(it);
  return true;
}

template <class T>
std::size_t Store<T>::size() const {
  std::lock_guard lock(mutex_);
  return objects_.size();
}

}  // namespace whimbrel::kube
