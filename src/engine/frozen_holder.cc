#include "engine/frozen_holder.h"

#include <algorithm>

namespace whimbrel::engine {

using postgres::LockHolder;
using std::chrono::seconds;

namespace {

/// What a statement's age may vary by from look to look: the answer's way through the network.
constexpr seconds kJitter{1};
/// A longer time between two looks proves nothing of what was in between.
constexpr seconds kLongestGap{5};

bool IsIdle(const LockHolder& holder) { return holder.state.starts_with("idle"); }

/// Nothing goes on in the session but waiting for its client.
bool IsQuiet(const LockHolder& holder) {
  return IsIdle(holder) || (holder.state == "active" && holder.wait_event == "ClientRead");
}

}  // namespace

std::string_view RunOf(std::string_view application_name) {
  constexpr std::string_view kOurs = "whimbrel/";
  constexpr std::size_t kRunLength = 8;
  if (!application_name.starts_with(kOurs)) return {};
  application_name.remove_prefix(kOurs.size());
  return application_name.find('/') == kRunLength ? application_name.substr(0, kRunLength)
                                                  : std::string_view();
}

bool FrozenHolder::Observe(const LockHolder& holder, SteadyTime now) {
  const bool known = !holder.backend_start.empty() && !RunOf(holder.application_name).empty();
  if (!known || !IsQuiet(holder)) {
    series_.reset();
    return false;
  }
  Continue(holder, now);
  if (now - waiting_since_ < pace_.frozen_waited) return false;
  if (now - series_->quiet_since < pace_.frozen_quiet) return false;
  if (ended_ && now - *ended_ < pace_.frozen_quiet) return false;
  ended_ = now;
  return true;
}

void FrozenHolder::Continue(const LockHolder& holder, SteadyTime now) {
  const auto began = now - std::chrono::duration_cast<SteadyTime::duration>(
                               std::chrono::duration<double>(holder.idle_seconds));
  const bool same_session =
      series_ && series_->pid == holder.pid && series_->backend_start == holder.backend_start;
  if (!same_session) ended_.reset();
  const bool goes_on =
      same_session && series_->state == holder.state &&
      series_->copied_bytes == holder.copied_bytes && began - series_->state_began <= kJitter &&
      now - series_->last_look <= std::max<Duration>(pace_.frozen_quiet / 4, kLongestGap);
  if (!goes_on) {
    series_ = Series{.pid = holder.pid,
                     .backend_start = holder.backend_start,
                     .state = holder.state,
                     .copied_bytes = holder.copied_bytes,
                     .state_began = began,
                     .quiet_since = now,
                     .last_look = now};
  }
  series_->last_look = now;
  if (IsIdle(holder)) series_->quiet_since = began;
}

}  // namespace whimbrel::engine
