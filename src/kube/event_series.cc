#include "kube/event_series.h"

#include "whimbrel/base/hash.h"

namespace whimbrel::kube {
namespace {

constexpr std::chrono::hours kSeriesLife{1};  // kube-apiserver --event-ttl.
constexpr std::size_t kMaxEntries = 4096;
constexpr double kBurst = 25;
constexpr double kPerSecond = 1.0 / 300;

std::string ObjectId(const ObjectReference& about) {
  return about.resource.group + '\0' + about.resource.kind + '\0' + about.key.ns + '\0' +
         about.key.name + '\0' + about.uid;
}

std::string SeriesId(const RecordedEvent& event) {
  return Sha256Hex(ObjectId(event.about) + '\0' + (event.type == EventType::kNormal ? 'N' : 'W') +
                   event.reason + '\0' + event.note);
}

}  // namespace

EventWrite EventSeries::Decide(const RecordedEvent& event, SteadyTime now) {
  Prune(now);
  const auto it = series_.find(SeriesId(event));
  if (it == series_.end()) {
    return {.kind = TakeToken(event.about, now) ? EventWrite::Kind::kCreate
                                                : EventWrite::Kind::kNothing};
  }
  Series& series = it->second;
  EventWrite write{.name = series.name, .uid = series.uid, .count = ++series.count};
  // Without a token it is counted all the same, and written with the next one.
  if (TakeToken(event.about, now)) write.kind = EventWrite::Kind::kCount;
  return write;
}

void EventSeries::Created(const RecordedEvent& event, std::string name, std::string uid,
                          SteadyTime now) {
  std::string id = SeriesId(event);
  by_age_.emplace_back(now, id);
  series_[std::move(id)] = {.name = std::move(name), .uid = std::move(uid), .begin = now};
}

void EventSeries::Lost(const RecordedEvent& event) { series_.erase(SeriesId(event)); }

bool EventSeries::TakeToken(const ObjectReference& about, SteadyTime now) {
  const auto [it, is_new] = buckets_.try_emplace(ObjectId(about), kPerSecond, kBurst, now);
  return it->second.TryTake(now);
}

void EventSeries::Prune(SteadyTime now) {
  while (!by_age_.empty() &&
         (now - by_age_.front().first >= kSeriesLife || series_.size() >= kMaxEntries)) {
    const auto it = series_.find(by_age_.front().second);
    // One of that identity may have begun anew since.
    if (it != series_.end() && it->second.begin == by_age_.front().first) series_.erase(it);
    by_age_.pop_front();
  }
  if (buckets_.size() < kMaxEntries) return;
  std::erase_if(buckets_, [now](const auto& entry) { return entry.second.IsFull(now); });
  // All of them busy: better to let a few events more through than to grow without an end.
  if (buckets_.size() >= kMaxEntries) buckets_.clear();
}

}  // namespace whimbrel::kube
