#include "whimbrel/kube/event_recorder.h"

#include <array>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "kube/event_series.h"
#include "kube/object_json.h"
#include "whimbrel/base/backoff.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/base/log.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::kube {
namespace {

constexpr std::size_t kMaxQueued = 1000;
constexpr int kMaxTries = 12;
constexpr Backoff kRetry{.initial = std::chrono::seconds(1), .max = std::chrono::seconds(30)};
constexpr std::chrono::seconds kFlushTime{5};
constexpr std::size_t kMaxName = 253;  // Of a DNS subdomain.
// pkg/apis/core/validation/events.go
constexpr std::size_t kMaxNote = 1024;
constexpr std::size_t kMaxWord = 128;

// Unique, and sorted by time: `<object>.<nanoseconds in hex>`, as client-go names them.
std::string EventName(const RecordedEvent& event, std::int64_t sequence) {
  const auto nanoseconds =
      std::chrono::duration_cast<std::chrono::nanoseconds>(event.at.time_since_epoch());
  std::array<char, 16> hex{};
  const auto [end, error] =
      std::to_chars(hex.data(), hex.data() + hex.size(), nanoseconds.count() + sequence, 16);
  std::string name = event.about.key.name + "." + std::string(hex.data(), end);
  return name.size() <= kMaxName ? name : NewUuid();
}

// The events of what has no namespace live in this one.
std::string EventNamespace(const RecordedEvent& event) {
  return event.about.key.ns.empty() ? "default" : event.about.key.ns;
}

Json EventHeader(const RecordedEvent& event, const std::string& name) {
  return {{"apiVersion", Events().ApiVersion()},
          {"kind", Events().kind},
          {"metadata", {{"name", name}, {"namespace", EventNamespace(event)}}}};
}

// A token that has run out is read anew by the client.
bool MayRetry(const ApiError& error) {
  return error.IsTransient() || error.reason == ApiErrorReason::kUnauthorized;
}

}  // namespace

class EventRecorder::Impl {
 public:
  Impl(ObjectClient& client, std::string_view controller, std::string_view instance,
       const Clock& clock)
      : client_(client),
        controller_(TruncateUtf8(controller, kMaxWord)),
        instance_(TruncateUtf8(instance, kMaxWord)),
        clock_(clock),
        thread_([this] { Run(); }) {}

  ~Impl() {
    closing_.request_stop();
    clock_.SleepFor(kFlushTime, finished_.get_token());
    cut_off_.request_stop();
  }

  void Record(RecordedEvent event) {
    event.at = clock_.SystemNow();
    std::lock_guard lock(mutex_);
    if (queue_.size() >= kMaxQueued) {
      if (!std::exchange(overflowed_, true)) {
        log::Warning("kube", "too many events wait to be written; dropping new ones");
      }
      return;
    }
    overflowed_ = false;
    queue_.push_back(std::move(event));
    queued_.notify_one();
  }

 private:
  void Run() {
    while (std::optional<RecordedEvent> event = Next()) Write(*event);
    finished_.request_stop();
  }

  // The next event; nullopt when the recorder is closing and all is written, or time is up.
  std::optional<RecordedEvent> Next() {
    std::unique_lock lock(mutex_);
    queued_.wait(lock, closing_.get_token(), [this] { return !queue_.empty(); });
    if (queue_.empty() || cut_off_.stop_requested()) return std::nullopt;
    RecordedEvent event = std::move(queue_.front());
    queue_.pop_front();
    return event;
  }

  void Write(RecordedEvent& event) {
    event.note = TruncateUtf8(Redact(event.note), kMaxNote);
    EventWrite write = series_.Decide(event, clock_.SteadyNow());
    if (write.kind == EventWrite::Kind::kCount && !WriteCount(event, write)) {
      // Its object lived its hour, or somebody deleted it.
      series_.Lost(event);
      write = series_.Decide(event, clock_.SteadyNow());
    }
    if (write.kind == EventWrite::Kind::kCreate) WriteNew(event);
  }

  void WriteNew(const RecordedEvent& event) {
    const std::string name = EventName(event, sequence_++);
    Json object = EventHeader(event, name);
    object["eventTime"] = FormatRfc3339Micro(event.at);
    object["reportingController"] = controller_;
    object["reportingInstance"] = instance_;
    object["type"] = event.type == EventType::kNormal ? "Normal" : "Warning";
    object["reason"] = TruncateUtf8(event.reason, kMaxWord);
    object["action"] = TruncateUtf8(event.action.empty() ? event.reason : event.action, kMaxWord);
    object["note"] = event.note;
    object["regarding"] = {{"apiVersion", event.about.resource.ApiVersion()},
                           {"kind", event.about.resource.kind},
                           {"namespace", event.about.key.ns},
                           {"name", event.about.key.name},
                           {"uid", event.about.uid}};
    const auto create = [&] { return client_.Create(Events(), object, cut_off_.get_token()); };
    // A conflict is not about the event, which is new: admission counts quotas that way.
    const ApiResult<Json> created = WithRetry(
        create, [](const ApiError& error) { return MayRetry(error) || error.IsConflict(); });
    if (created) {
      series_.Created(event, name, StringAt(*created, "metadata", "uid"), clock_.SteadyNow());
    } else if (created.error().reason != ApiErrorReason::kAlreadyExists) {  // Our own, retried.
      Complain(event, created.error());
    }
  }

  // False when the event to count is not there any more.
  bool WriteCount(const RecordedEvent& event, const EventWrite& write) {
    Json object = EventHeader(event, write.name);
    object["metadata"]["uid"] = write.uid;  // Never creates half an event.
    object["series"] = {{"count", write.count}, {"lastObservedTime", FormatRfc3339Micro(event.at)}};
    const auto apply = [&] {
      return client_.Apply(Events(), object, {.field_manager = controller_}, cut_off_.get_token());
    };
    // A conflict here is another uid: the name is somebody else's by now.
    const ApiResult<Json> applied = WithRetry(apply, MayRetry);
    if (applied) return true;
    if (applied.error().IsNotFound() || applied.error().IsConflict()) return false;
    Complain(event, applied.error());
    return true;
  }

  static void Complain(const RecordedEvent& event, const ApiError& error) {
    log::Warning("kube", "cannot write an event",
                 {{"object", event.about.key.ToString()},
                  {"reason", event.reason},
                  {"error", error.ToString()}});
  }

  template <class Call, class Predicate>
  ApiResult<Json> WithRetry(const Call& call, const Predicate& may_retry) {
    for (int attempt = 0;; ++attempt) {
      ApiResult<Json> result = call();
      if (result || !may_retry(result.error()) || attempt + 1 >= kMaxTries) return result;
      const Duration delay = kRetry.FullJitter(attempt, Random::System());
      if (!clock_.SleepFor(delay, closing_.get_token())) return result;
    }
  }

  ObjectClient& client_;
  const std::string controller_;
  const std::string instance_;
  const Clock& clock_;

  std::mutex mutex_;
  std::condition_variable_any queued_;
  std::deque<RecordedEvent> queue_;
  bool overflowed_ = false;
  std::stop_source closing_;   // No waiting any more: write what is queued, once each.
  std::stop_source cut_off_;   // The time for that is up.
  std::stop_source finished_;  // All is written.

  // Of the thread alone.
  EventSeries series_;
  std::int64_t sequence_ = 0;

  std::jthread thread_;  // Last: ends before anything it uses.
};

EventRecorder::EventRecorder(ObjectClient& client, std::string_view reporting_controller,
                             std::string_view reporting_instance, const Clock& clock)
    : impl_(std::make_unique<Impl>(client, reporting_controller, reporting_instance, clock)) {}
EventRecorder::~EventRecorder() = default;

void EventRecorder::Record(const ObjectReference& about, EventType type, std::string reason,
                           std::string action, std::string note) {
  impl_->Record({.about = about,
                 .type = type,
                 .reason = std::move(reason),
                 .action = std::move(action),
                 .note = std::move(note)});
}

}  // namespace whimbrel::kube
