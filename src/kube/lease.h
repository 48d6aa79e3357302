#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

/// What an election reads and writes of a Lease's spec (client-go's LeaderElectionRecord).
struct LeaseRecord {
  std::string holder;  ///< holderIdentity; empty: nobody holds it.
  /// leaseDurationSeconds: how long others wait after they last saw this record change. 0: unknown.
  std::int64_t duration_seconds = 0;
  /// MicroTime, as written. For people: no clock is ever compared with them.
  std::string acquire_time;
  std::string renew_time;
  std::int64_t transitions = 0;  ///< leaseTransitions: changes of the holder.

  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

/// A Lease as the server has it.
struct Lease {
  LeaseRecord record;
  std::string uid;
  std::string resource_version;

  friend bool operator==(const Lease&, const Lease&) = default;
};

/// Whatever is missing or has an odd shape counts as empty; never throws.
[[nodiscard]] Lease ParseLease(const nlohmann::json& object);

/// The object to create.
[[nodiscard]] nlohmann::json NewLeaseObject(const ObjectKey& key, const LeaseRecord& record);

/// The object to update: `stored`, as it was read, with this record. What else its metadata holds
/// stays; the uid and resourceVersion in it keep the write from hitting, or making, another one.
[[nodiscard]] nlohmann::json UpdatedLeaseObject(nlohmann::json stored, const LeaseRecord& record);

}  // namespace whimbrel::kube
