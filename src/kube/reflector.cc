#include "whimbrel/kube/reflector.h"

#include <algorithm>
#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>
#include <unordered_set>
#include <utility>

#include "kube/object_json.h"
#include "kube/reflector_machine.h"
#include "whimbrel/base/log.h"

namespace whimbrel::kube {
namespace {

using Action = ReflectorEffect::Action;

// Different for each watch, so that a restarted server is not asked by all at once later on.
// Several bookmarks long, and not so long that a silent server goes unnoticed
// (reflector_machine.cc).
constexpr std::chrono::seconds kMinWatch{240};
constexpr std::chrono::seconds kMaxWatch{360};

ObjectKey KeyOf(const Json& object) {
  return {StringAt(object, "metadata", "namespace"), StringAt(object, "metadata", "name")};
}

}  // namespace

class Reflector::Impl {
 public:
  Impl(ObjectClient& client, ReflectorOptions options, ReflectorHandler& handler,
       const Clock& clock, Random& random)
      : client_(client),
        options_(std::move(options)),
        handler_(handler),
        clock_(clock),
        random_(random),
        thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  [[nodiscard]] bool synced() const { return synced_; }

 private:
  void Run(const std::stop_token& stop) {
    ReflectorEffect next{.action = Action::kList};
    while (next.action != Action::kStop) {
      if (next.wait && !clock_.SleepFor(Delay(*next.wait), stop)) return;
      const ReflectorInput result = next.action == Action::kList ? List(stop) : Watch(stop);
      if (stop.stop_requested()) return;
      next = Advance(state_, result, clock_.SteadyNow());
    }
  }

  // As client-go's: between the backoff and twice as much.
  Duration Delay(const ReflectorEffect::Wait& wait) {
    const auto backoff = std::chrono::duration_cast<Duration>(
        options_.backoff.Ceiling(wait.attempt) * (1 + random_.Uniform()));
    return std::max(backoff, wait.at_least);
  }

  ReflectorInput List(const std::stop_token& stop) {
    std::unordered_set<ObjectKey> kept;
    const ApiResult<std::string> resource_version = client_.List(
        options_.resource,
        {.ns = options_.ns,
         .label_selector = options_.label_selector,
         .field_selector = options_.field_selector,
         .metadata_only = options_.metadata_only},
        [&](Json&& object) {
          const ObjectKey key = KeyOf(object);
          if (handler_.OnUpsert(key, std::move(object))) kept.insert(key);
        },
        stop);
    if (!resource_version) {
      kept_.merge(kept);  // The owner has them now, whatever became of the list.
      LogFailure("cannot list; trying again", resource_version.error());
      return ListFailed{resource_version.error()};
    }
    kept_.swap(kept);
    for (const ObjectKey& key : kept) {
      if (!kept_.contains(key)) handler_.OnDelete(key);
    }
    handler_.OnSynced();
    synced_ = true;
    return ListDone{*resource_version};
  }

  ReflectorInput Watch(const std::stop_token& stop) {
    const auto timeout = kMinWatch + std::chrono::duration_cast<std::chrono::seconds>(
                                         (kMaxWatch - kMinWatch) * random_.Uniform());
    const SteadyTime begin = clock_.SteadyNow();
    WatchEnded ended;
    const ApiResult<void> watched = client_.Watch(
        options_.resource,
        {.ns = options_.ns,
         .label_selector = options_.label_selector,
         .field_selector = options_.field_selector,
         .metadata_only = options_.metadata_only,
         .resource_version = state_.resource_version,
         .timeout = timeout},
        [&](WatchEventType type, Json&& object) {
          ended.saw_event = true;
          OnEvent(type, std::move(object));
        },
        stop);
    ended.lasted = clock_.SteadyNow() - begin;
    if (!watched) {
      ended.error = watched.error();
      LogFailure("the watch ended", watched.error());
    }
    return ended;
  }

  void OnEvent(WatchEventType type, Json&& object) {
    const EventSeen seen{StringAt(object, "metadata", "resourceVersion")};
    if (type != WatchEventType::kBookmark) {
      const ObjectKey key = KeyOf(object);
      if (type == WatchEventType::kDeleted) {
        kept_.erase(key);
        handler_.OnDelete(key);
      } else if (handler_.OnUpsert(key, std::move(object))) {
        kept_.insert(key);
      } else {
        kept_.erase(key);
      }
    }
    // Only after the owner has it: what was not delivered must be sent again.
    (void)Advance(state_, seen, clock_.SteadyNow());
  }

  void LogFailure(std::string_view message, const ApiError& error) const {
    if (error.reason == ApiErrorReason::kCancelled) return;
    log::Warning("kube", message, {{"reflector", options_.name}, {"error", error.ToString()}});
  }

  ObjectClient& client_;
  const ReflectorOptions options_;
  ReflectorHandler& handler_;
  const Clock& clock_;
  Random& random_;
  std::atomic<bool> synced_ = false;

  // Of the thread alone.
  ReflectorState state_;
  std::unordered_set<ObjectKey> kept_;

  std::jthread thread_;  // Last: ends before anything it uses.
};

Reflector::Reflector(ObjectClient& client, ReflectorOptions options, ReflectorHandler& handler,
                     const Clock& clock, Random& random)
    : impl_(std::make_unique<Impl>(client, std::move(options), handler, clock, random)) {}
Reflector::~Reflector() = default;

bool Reflector::synced() const { return impl_->synced(); }

}  // namespace whimbrel::kube
