#include "engine/session_watch.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "engine/database_connector.h"
#include "whimbrel/base/log.h"
#include "whimbrel/postgres/session.h"

namespace whimbrel::engine {

using postgres::Connection;
using postgres::SessionActivity;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr std::string_view kLogger = "engine";
constexpr std::string_view kOurs = "whimbrel/";
/// For one look, and for connecting before it.
constexpr seconds kPatience{5};
/// After a look that failed: where no slot is free, asking more often would only disturb.
constexpr seconds kPause{10};
/// Facts worth an event; a run that is blocked by ever new sessions must not write hundreds.
constexpr std::size_t kMaxNotices = 5;

SteadyTime FromNow(Duration duration) {
  return steady_clock::now() + std::chrono::duration_cast<SteadyTime::duration>(duration);
}

/// Early enough to see who holds a lock before the server gives up waiting for it.
Pace PaceOf(const RunContext& context) {
  Pace pace = context.pace;
  const Duration lock_timeout = context.request.execution.lock_timeout;
  if (lock_timeout > Duration(0)) pace.first_look = std::min(pace.first_look, lock_timeout / 2);
  return pace;
}

std::string WithoutTimes(std::vector<postgres::LockHolder> holders) {
  for (postgres::LockHolder& holder : holders) holder.state.clear();
  return ToString(holders);
}

}  // namespace

SessionWatch::SessionWatch(RunContext& context, const Connection& main)
    : context_(context),
      pace_(PaceOf(context)),
      parameters_(main.parameters()),
      application_name_(postgres::ApplicationName(context.request.run_id, context.request.ns,
                                                  context.request.name)),
      own_prefix_(application_name_.substr(0, application_name_.find('/', kOurs.size()) + 1)) {}

SessionWatch::~SessionWatch() { thread_.request_stop(); }

SessionWatch::Scope SessionWatch::Watch(const Connection& connection) {
  const Lock lock(mutex_);
  StartThread();
  ++call_;
  armed_ = true;
  pid_ = connection.backend_pid();
  look_due_ = FromNow(pace_.first_look);
  end_due_.reset();
  blockers_.clear();
  return Scope(this);
}

void SessionWatch::Disarm() {
  bool told = false;
  std::vector<report::Notice> notices;
  {
    const Lock lock(mutex_);
    armed_ = false;
    told = std::exchange(told_, false);
    notices = std::exchange(notices_, {});
    if (has_second_) changed_.notify_all();
  }
  if (told) context_.progress.SetActivity("");
  for (report::Notice& notice : notices) context_.Note(std::move(notice));
}

SessionWatch::KeptAlive SessionWatch::KeepAlive(Connection& connection) {
  const Lock lock(mutex_);
  StartThread();
  pinged_.push_back({.connection = &connection, .due = FromNow(pace_.ping)});
  return {this, &connection};
}

void SessionWatch::EndPings(Connection* connection) {
  Lock lock(mutex_);
  std::erase_if(pinged_, [&](const Pinged& p) { return p.connection == connection; });
  changed_.wait(lock, [&] { return being_pinged_ != connection; });
}

std::string SessionWatch::LastBlockers() const {
  const Lock lock(mutex_);
  return blockers_;
}

void SessionWatch::StartThread() {
  if (thread_.joinable()) return;
  try {
    thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
  } catch (const std::system_error& error) {
    // The run goes on unwatched.
    log::Debug(kLogger, "no thread for the watch of a session", {{"error", error.what()}});
  }
}

void SessionWatch::Loop(const std::stop_token& stop) {
  Lock lock(mutex_);
  while (!stop.stop_requested()) {
    const SteadyTime now = steady_clock::now();
    if (armed_ && !end_due_ && LimitReached(now)) end_due_ = FromNow(pace_.end_stuck_call);
    const auto due = std::ranges::find_if(pinged_, [&](const Pinged& p) { return p.due <= now; });
    if (due != pinged_.end()) {
      Ping(lock, *due);
    } else if (armed_ && end_due_ && *end_due_ <= now) {
      EndStuckCall(lock, stop);
    } else if (armed_ && look_due_ <= now) {
      Look(lock, stop);
    } else if (!armed_ && has_second_) {
      // Statements such as CREATE DATABASE … TEMPLATE want to be alone in the database.
      has_second_ = false;
      lock.unlock();
      second_.reset();
      lock.lock();
    } else {
      changed_.wait_until(lock, stop, NextWake(now), [] { return false; });
    }
  }
}

bool SessionWatch::LimitReached(SteadyTime now) const {
  return context_.limits.stop.stop_requested() || now >= context_.limits.deadline;
}

SteadyTime SessionWatch::NextWake(SteadyTime now) const {
  // Arming wakes nobody, since it must cost nothing: so the thread looks by itself, often enough to
  // be in time.
  SteadyTime next =
      armed_ ? std::min(look_due_, end_due_.value_or(look_due_))
             : now + std::chrono::duration_cast<SteadyTime::duration>(pace_.first_look / 2);
  for (const Pinged& pinged : pinged_) next = std::min(next, pinged.due);
  return next;
}

void SessionWatch::Look(Lock& lock, const std::stop_token& stop) {
  const std::uint64_t call = call_;
  const int pid = pid_;
  has_second_ = true;
  lock.unlock();
  const postgres::PgResult<SessionActivity> activity =
      Connect(stop).and_then([&] { return postgres::ReadActivity(*second_, pid); });
  if (!activity) {
    log::Debug(kLogger, "could not look at a session of the run",
               {{"error", activity.error().ToString()}});
  }
  lock.lock();
  look_due_ = std::max(look_due_, FromNow(activity ? pace_.look_period : Duration(kPause)));
  if (activity && armed_ && call == call_) Tell(*activity);
}

postgres::PgResult<void> SessionWatch::Connect(const std::stop_token& stop) {
  const postgres::CallLimits limits{.deadline = FromNow(kPatience), .stop = stop};
  if (second_ && second_->usable()) {
    second_->SetLimits(limits);
    return {};
  }
  auto opened = Connection::Open(ParametersBeside(parameters_, context_.request.database),
                                 {.application_name = application_name_,
                                  .timeout = kPatience,
                                  .limits = limits,
                                  .give_up_at_limit = true});
  if (!opened) return tl::make_unexpected(std::move(opened).error());
  second_.emplace(*std::move(opened));
  return postgres::ApplySessionSettings(*second_, {});
}

void SessionWatch::EndStuckCall(Lock& lock, const std::stop_token& stop) {
  const int pid = pid_;
  has_second_ = true;
  lock.unlock();
  auto ended = Connect(stop);
  if (ended) ended = postgres::TerminateSession(*second_, pid, own_prefix_);
  log::Warning(kLogger, "a call of a run that was stopped did not end; its session was ended",
               {{"run", context_.request.run_id},
                {"pid", pid},
                {"error", ended ? std::string() : ended.error().ToString()}});
  lock.lock();
  end_due_ = FromNow(pace_.end_stuck_call);
}

void SessionWatch::Tell(const SessionActivity& activity) {
  std::string text;
  if (!activity.blockers.empty()) {
    blockers_ = ToString(activity.blockers);
    text = "waiting for a lock held by " + blockers_;
    const std::string who = WithoutTimes(activity.blockers);
    if (noticed_.size() < kMaxNotices && noticed_.insert(who).second)
      notices_.push_back({report::Notice::Kind::kLockWait, "waited for a lock held by " + who});
  } else if (activity.progress) {
    text = activity.progress->ToString();
  }
  told_ = told_ || !text.empty();
  context_.progress.SetActivity(std::move(text));
}

void SessionWatch::Ping(Lock& lock, Pinged& pinged) {
  Connection* const connection = pinged.connection;
  pinged.due = FromNow(pace_.ping);
  being_pinged_ = connection;
  lock.unlock();
  connection->SetLimits({.deadline = std::min(FromNow(kPatience), context_.limits.deadline),
                         .stop = context_.limits.stop});
  if (const auto answer = connection->Execute("SELECT 1"); !answer)
    log::Debug(kLogger, "could not keep a session alive", {{"error", answer.error().ToString()}});
  connection->SetLimits(context_.limits);
  lock.lock();
  being_pinged_ = nullptr;
  changed_.notify_all();
}

}  // namespace whimbrel::engine
