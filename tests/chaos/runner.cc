#include "chaos/runner.h"

#include <csignal>
#include <stdexcept>
#include <utility>

namespace whimbrel::chaos {

using std::chrono::steady_clock;
using testing::PassingPiece;
using testing::PgClient;
using testing::PgTarget;
using testing::PieceFate;
using testing::SpawnOptions;

SpawnOptions ToSpawn(const Command& command, const PgTarget& target) {
  SpawnOptions options;
  options.argv = {command.binary, "run", command.folder};
  options.argv.insert(options.argv.end(), command.arguments.begin(), command.arguments.end());
  // Encrypted, the proxy could not count the messages.
  options.environment = {{"PGHOST", target.host},       {"PGPORT", std::to_string(target.port)},
                         {"PGUSER", target.user},       {"PGPASSWORD", target.password},
                         {"PGDATABASE", target.dbname}, {"PGSSLMODE", "disable"},
                         {"PGGSSENCMODE", "disable"}};
  return options;
}

namespace {

void TerminateSessions(const PgTarget& database) {
  try {
    PgClient(database).Exec(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
        "'whimbrel/%' AND datname = current_database()");
  } catch (const std::runtime_error&) {
    // Another runner's fault has taken the whole server: nobody is left to be ended.
  }
}

Runner::Time End(const Fault& fault) {
  return fault.for_ever ? Runner::Time::max() : steady_clock::now() + fault.lasts;
}

}  // namespace

Runner::Runner(World& world, const Command& command, const PgTarget& database,
               std::optional<Fault> fault)
    : world_(world), database_(database), fault_(fault), proxy_(database.port) {
  if (fault_) counter_.Watch(fault_->place);
  proxy_.OnPiece([this](const PassingPiece& piece) { return OnPiece(piece); });
  // The lock is for the proxy's thread, which may look for the process at its first message.
  const std::lock_guard lock(mutex_);
  process_.emplace(ToSpawn(command, database.WithPort(proxy_.port())));
}

Runner::~Runner() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    changed_.notify_all();
  }
  // What was begun is ended: the server is needed again.
  if (stage_ == Stage::kActing) EndFault();
  process_->Signal(SIGKILL);
  proxy_.OnPiece({});
}

PieceFate Runner::OnPiece(const PassingPiece& piece) {
  std::unique_lock lock(mutex_);
  const auto pass = counter_.Take(piece.connection, piece.to_server, piece.bytes);
  if (!pass || stage_ != Stage::kWaiting || leaving_) return {};
  return AtThePlace(lock, *pass);
}

PieceFate Runner::AtThePlace(std::unique_lock<std::mutex>& lock, std::size_t pass) {
  fired_ = true;
  stage_ = Stage::kDue;
  due_ = steady_clock::now() + fault_->later.value_or(std::chrono::milliseconds(0));
  changed_.notify_all();
  if (fault_->later) return {};
  switch (fault_->death) {
    case Death::kCut:
      stage_ = Stage::kDone;
      return {.pass = pass, .reset = true};
    case Death::kKill:
      // Nobody acts later than this very byte.
      process_->Signal(SIGKILL);
      stage_ = Stage::kDone;
      return {.pass = pass, .reset = false};
    case Death::kFreeze:
      process_->Signal(SIGSTOP);
      stage_ = Stage::kActing;
      due_ = End(*fault_);
      return {.pass = pass, .reset = false};
    case Death::kBlackHole:
      proxy_.BlackHole();
      stage_ = Stage::kActing;
      due_ = End(*fault_);
      return {.pass = pass, .reset = false};
    case Death::kDelay:
      changed_.wait_for(lock, fault_->lasts, [&] { return leaving_; });
      stage_ = Stage::kDone;
      return {};
    case Death::kTerminate:
    case Death::kPostmaster:
      // Done by the other thread, while nothing passes here.
      changed_.wait(lock, [&] { return stage_ != Stage::kDue || leaving_; });
      return {};
  }
  return {};
}

bool Runner::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

bool Runner::over() const {
  const std::lock_guard lock(mutex_);
  return !process_->running() && (stage_ == Stage::kWaiting || stage_ == Stage::kDone);
}

int Runner::messages(bool to_server) const {
  const std::lock_guard lock(mutex_);
  return counter_.messages(to_server);
}

void Runner::OthersAreOver() {
  const std::lock_guard lock(mutex_);
  if (stage_ == Stage::kActing && fault_->for_ever) due_ = steady_clock::now();
}

void Runner::Tick() {
  std::unique_lock lock(mutex_);
  if (steady_clock::now() < due_) return;
  const Stage stage = stage_;
  if (stage != Stage::kDue && stage != Stage::kActing) return;
  lock.unlock();
  stage == Stage::kDue ? Act() : EndFault();
}

/// The fault happens, at last or on behalf of the proxy's thread.
void Runner::Act() {
  switch (fault_->death) {
    case Death::kKill:
      process_->Signal(SIGKILL);
      break;
    case Death::kFreeze:
      process_->Signal(SIGSTOP);
      break;
    case Death::kTerminate:
      TerminateSessions(database_);
      break;
    case Death::kPostmaster:
      world_.server().Kill9();
      break;
    case Death::kCut:
      proxy_.Cut();
      break;
    case Death::kBlackHole:
      proxy_.BlackHole();
      break;
    case Death::kDelay:
      break;
  }
  const bool lasts = fault_->death == Death::kFreeze || fault_->death == Death::kPostmaster ||
                     fault_->death == Death::kBlackHole;
  const std::lock_guard lock(mutex_);
  stage_ = lasts ? Stage::kActing : Stage::kDone;
  due_ = End(*fault_);
  changed_.notify_all();
}

/// What lasted is over.
void Runner::EndFault() {
  switch (fault_->death) {
    case Death::kFreeze:
      process_->Signal(fault_->comes_back ? SIGCONT : SIGKILL);
      break;
    case Death::kPostmaster:
      world_.server().Start();
      break;
    case Death::kBlackHole:
      // What a keepalive would find out in half a minute.
      if (!fault_->comes_back) proxy_.Cut();
      proxy_.Restore();
      break;
    case Death::kKill:
    case Death::kTerminate:
    case Death::kCut:
    case Death::kDelay:
      break;
  }
  const std::lock_guard lock(mutex_);
  stage_ = Stage::kDone;
  changed_.notify_all();
}

}  // namespace whimbrel::chaos
