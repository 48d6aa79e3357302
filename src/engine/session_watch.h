#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "engine/run_context.h"
#include "whimbrel/postgres/connection.h"
#include "whimbrel/postgres/session_activity.h"

namespace whimbrel::engine {

/// Looks at a session of the run from a second one while a call on it takes long, and tells the
/// run's progress who holds the lock that it waits for, or how far the server has come. Short calls
/// cost two uncontended mutexes: the second session is opened when a call has lasted
/// `Pace::first_look`, and closed when that call has ended. What the watch cannot do (no slot free,
/// the server gone) is never the run's failure.
///
/// When the run is stopped, or its deadline reached, and the call does not end within
/// Pace::end_stuck_call, the second session has the server end the first: that is all that helps
/// where the run's thread is stuck in a source that blocks, in the middle of a COPY.
///
/// Its thread also pings sessions of the run that wait while another one works, so that the
/// server's idle timeouts (60 s) do not cut them.
///
/// All public functions are for the run's thread.
class SessionWatch {
 public:
  /// `main` is any session of the run: the second one goes to the same server. Nothing is started
  /// yet.
  SessionWatch(RunContext& context, const postgres::Connection& main);
  /// Returns at once, whatever the network does.
  ~SessionWatch();
  SessionWatch(const SessionWatch&) = delete;
  SessionWatch& operator=(const SessionWatch&) = delete;

  /// A call goes on as long as this lives. One at a time.
  class Scope {
   public:
    explicit Scope(SessionWatch* watch) : watch_(watch) {}
    Scope(Scope&& other) noexcept : watch_(std::exchange(other.watch_, nullptr)) {}
    Scope& operator=(Scope&&) = delete;
    ~Scope() {
      if (watch_ != nullptr) watch_->Disarm();
    }

   private:
    SessionWatch* watch_;
  };
  /// Around a call on `connection`.
  [[nodiscard]] Scope Watch(const postgres::Connection& connection);

  /// A session is pinged as long as this lives; nobody else may use it meanwhile. A ping that finds
  /// it broken leaves it unusable.
  class KeptAlive {
   public:
    KeptAlive(SessionWatch* watch, postgres::Connection* connection)
        : watch_(watch), connection_(connection) {}
    KeptAlive(KeptAlive&& other) noexcept
        : watch_(std::exchange(other.watch_, nullptr)), connection_(other.connection_) {}
    KeptAlive& operator=(KeptAlive&&) = delete;
    ~KeptAlive() {
      if (watch_ != nullptr) watch_->EndPings(connection_);
    }

   private:
    SessionWatch* watch_;
    postgres::Connection* connection_;
  };
  [[nodiscard]] KeptAlive KeepAlive(postgres::Connection& connection);

  /// Who held the lock for which the last watched call was last seen waiting: `pid 4711 (psql, idle
  /// in transaction for 12 s)`; empty: nobody was seen.
  [[nodiscard]] std::string LastBlockers() const;

 private:
  struct Pinged {
    postgres::Connection* connection;
    SteadyTime due;
  };
  using Lock = std::unique_lock<std::mutex>;

  void Disarm();
  void EndPings(postgres::Connection* connection);
  void StartThread();
  void Loop(const std::stop_token& stop);
  [[nodiscard]] SteadyTime NextWake(SteadyTime now) const;
  void Look(Lock& lock, const std::stop_token& stop);
  void Ping(Lock& lock, Pinged& pinged);
  void EndStuckCall(Lock& lock, const std::stop_token& stop);
  [[nodiscard]] bool LimitReached(SteadyTime now) const;
  [[nodiscard]] postgres::PgResult<void> Connect(const std::stop_token& stop);
  void Tell(const postgres::SessionActivity& activity);

  RunContext& context_;
  const Pace pace_;
  const postgres::ConnectionParameters parameters_;
  const std::string application_name_;
  const std::string own_prefix_;  ///< `whimbrel/<run8>/`, of all sessions of this run.

  // Of the thread alone.
  std::optional<postgres::Connection> second_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  bool armed_ = false;
  std::uint64_t call_ = 0;  ///< Counts the calls, so that no answer is told of a later one.
  int pid_ = 0;
  SteadyTime look_due_{};
  std::optional<SteadyTime> end_due_;  ///< Set when the run's limits were found reached.
  bool has_second_ = false;
  bool told_ = false;  ///< Progress shows an activity of ours.
  std::string blockers_;
  std::vector<report::Notice> notices_;
  std::set<std::string, std::less<>> noticed_;
  std::vector<Pinged> pinged_;
  const postgres::Connection* being_pinged_ = nullptr;
  std::jthread thread_;  // Last: it is joined before the rest goes.
};

}  // namespace whimbrel::engine
