#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "chaos/fault.h"
#include "chaos/world.h"
#include "support/subprocess.h"
#include "support/tcp_proxy.h"

namespace whimbrel::chaos {

/// How to start `whimbrel run`.
struct Command {
  std::string binary;
  std::string folder;
  std::vector<std::string> arguments;
};

[[nodiscard]] testing::SpawnOptions ToSpawn(const Command& command,
                                            const testing::PgTarget& target);

/// One process `whimbrel run` behind a proxy of its own, and the fault that it meets. All methods
/// are for one thread, which calls Tick often; the proxy's thread works beside it.
class Runner {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Runner(World& world, const Command& command, const testing::PgTarget& database,
         std::optional<Fault> fault);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Does what is due.
  void Tick();
  /// The other runners are done: nothing that would last for ever goes on.
  void OthersAreOver();
  /// The place of the fault was reached.
  [[nodiscard]] bool fired() const;
  /// The process has ended, and its fault has nothing more to do.
  [[nodiscard]] bool over() const;

  [[nodiscard]] testing::Subprocess& process() { return *process_; }
  /// Messages that passed or were lost at the fault.
  [[nodiscard]] int messages(bool to_server) const;
  [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }

 private:
  enum class Stage { kWaiting, kDue, kActing, kDone };

  testing::PieceFate OnPiece(const testing::PassingPiece& piece);
  testing::PieceFate AtThePlace(std::unique_lock<std::mutex>& lock, std::size_t pass);
  void Act();
  void EndFault();

  World& world_;
  const testing::PgTarget database_;
  const std::optional<Fault> fault_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  MessageCounter counter_;
  Stage stage_ = Stage::kWaiting;
  bool fired_ = false;
  bool leaving_ = false;
  Time due_;

  std::optional<testing::Subprocess> process_;
  testing::TcpProxy proxy_;  // Last: its thread uses the others.
};

}  // namespace whimbrel::chaos
