#include "controller/run_book.h"

#include <utility>

namespace whimbrel::controller {

using kube::ObjectKey;

std::optional<OwnRun> RunBook::Find(const ObjectKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(key);
  if (it == entries_.end() || !it->second.run) return std::nullopt;
  return *it->second.run;
}

void RunBook::Put(const ObjectKey& key, OwnRun run) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[key];
  if (entry.run) keys_by_run_.erase(entry.run->state.id);
  keys_by_run_[run.state.id] = key;
  entry.run = std::make_unique<OwnRun>(std::move(run));
  entry.lost_runs.clear();
}

void RunBook::Erase(const ObjectKey& key) {
  const std::lock_guard lock(mutex_);
  const auto it = entries_.find(key);
  if (it == entries_.end() || !it->second.run) return;
  keys_by_run_.erase(it->second.run->state.id);
  it->second.run.reset();
}

void RunBook::Drop(const ObjectKey& key) {
  Erase(key);
  const std::lock_guard lock(mutex_);
  entries_.erase(key);
}

std::optional<ObjectKey> RunBook::KeyOf(std::string_view run_id) const {
  const std::lock_guard lock(mutex_);
  const auto it = keys_by_run_.find(run_id);
  return it == keys_by_run_.end() ? std::nullopt : std::optional(it->second);
}

std::vector<std::string> RunBook::RunIds() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, key] : keys_by_run_) ids.push_back(id);
  return ids;
}

bool RunBook::empty() const {
  const std::lock_guard lock(mutex_);
  return keys_by_run_.empty();
}

bool RunBook::IsLost(const ObjectKey& key, const std::string& run_id,
                     const std::string& resource_version, SteadyTime now, Duration patience) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[key];
  const bool seen = std::exchange(entry.seen, true);
  if (run_id.empty()) return false;
  if (!seen) entry.lost_runs.insert(run_id);
  if (entry.foreign_run != run_id || entry.foreign_version != resource_version) {
    entry.foreign_run = run_id;
    entry.foreign_version = resource_version;
    entry.foreign_since = now;
  }
  if (now - entry.foreign_since >= patience) entry.lost_runs.insert(run_id);
  return entry.lost_runs.contains(run_id);
}

void RunBook::MarkLost(const ObjectKey& key, const std::string& run_id) {
  const std::lock_guard lock(mutex_);
  entries_[key].lost_runs.insert(run_id);
}

}  // namespace whimbrel::controller
