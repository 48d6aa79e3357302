#include "engine/verifier.h"

#include <utility>

#include "engine/verifier_families.h"

namespace whimbrel::engine {
namespace {

/// Runs the statement whatever the catalog says.
class HarmlessVerifier final : public Verifier {
 public:
  postgres::PgResult<std::string> Find(postgres::Connection& /*connection*/) const override {
    return std::string("{}");
  }
  Verification Judge(std::string_view /*found*/, std::string_view /*now*/) const override {
    return {};
  }
  std::optional<std::string> Confirm(std::string_view /*found*/,
                                     std::string_view /*now*/) const override {
    return std::nullopt;
  }
};

/// For who has said that running the statement again does no harm: where the verifier would refuse,
/// it is run. Whether it did its work is still looked at.
class IdempotentVerifier final : public Verifier {
 public:
  explicit IdempotentVerifier(std::unique_ptr<Verifier> verifier)
      : verifier_(std::move(verifier)) {}

  postgres::PgResult<std::string> Find(postgres::Connection& connection) const override {
    return verifier_->Find(connection);
  }
  Verification Judge(std::string_view found, std::string_view now) const override {
    Verification verification = verifier_->Judge(found, now);
    return verification.verdict == Verification::Verdict::kRefuse ? Verification{} : verification;
  }
  std::optional<std::string> Confirm(std::string_view found, std::string_view now) const override {
    return verifier_->Confirm(found, now);
  }
  std::vector<std::string> AfterFailure(std::string_view found,
                                        std::string_view now) const override {
    return verifier_->AfterFailure(found, now);
  }

 private:
  std::unique_ptr<Verifier> verifier_;
};

/// `make` of what `read` has read; nullptr when it could not.
template <class Target, class Make>
std::unique_ptr<Verifier> From(std::optional<Target> target, Make make) {
  return target.has_value() ? make(std::move(*target)) : nullptr;
}

std::unique_ptr<Verifier> ForIndex(std::optional<sql::CreateIndexTarget> target,
                                   bool concurrently) {
  if (!target.has_value()) return nullptr;
  return VerifyCreateIndex(std::move(*target), concurrently);
}

/// Of DROP DATABASE, TABLESPACE, SUBSCRIPTION, whose names have one part.
std::unique_ptr<Verifier> ForDrop(std::optional<sql::DropTarget> target,
                                  std::unique_ptr<Verifier> (*make)(std::string)) {
  return target.has_value() ? make(target->name.base()) : nullptr;
}

/// Of ALTER SUBSCRIPTION … SET PUBLICATION, too: the same list again is the same list.
std::unique_ptr<Verifier> ForPublications(std::optional<sql::SubscriptionTarget> target) {
  if (!target.has_value()) return nullptr;
  if (target->change == sql::PublicationChange::kSet) return RunAgain();
  return VerifyPublications(*target);
}

std::unique_ptr<Verifier> ForSlot(std::optional<sql::CallTarget> call) {
  if (!call.has_value() || call->arguments.empty()) return nullptr;
  const bool copy = call->function == "pg_copy_logical_replication_slot";
  if (copy && call->arguments.size() < 2) return nullptr;
  const std::optional<std::string>& name = call->arguments[copy ? 1 : 0];
  if (!name.has_value()) return nullptr;
  std::optional<std::string> plugin;
  if (!copy && call->arguments.size() > 1) plugin = call->arguments[1];
  return VerifyCreateSlot(*name, std::move(plugin));
}

std::unique_ptr<Verifier> ForDistribution(std::optional<sql::CallTarget> call) {
  if (!call.has_value() || call->arguments.empty() || !call->arguments[0].has_value())
    return nullptr;
  return VerifyDistributeTable(*call->arguments[0]);
}

/// nullptr when the statement is of a kind that cannot be verified, or cannot be read.
std::unique_ptr<Verifier> ForKind(sql::NonTransactional kind, std::string_view text,
                                  bool conforming) {
  using enum sql::NonTransactional;
  switch (kind) {
    case kCreateIndexConcurrently:
    case kIndexTransactionPerChunk:
      return ForIndex(sql::ReadCreateIndex(text, conforming), kind == kCreateIndexConcurrently);
    case kDropIndexConcurrently:
      return From(sql::ReadDrop(text, conforming),
                  [](sql::DropTarget target) { return VerifyDropIndex(std::move(target.name)); });
    case kReindexConcurrently:
      return From(sql::ReadReindex(text, conforming), VerifyReindexConcurrently);
    case kDetachPartitionConcurrently:
      return From(sql::ReadDetach(text, conforming), VerifyDetach);
    case kCreateDatabase:
      return From(sql::ReadCreate(text, conforming), VerifyCreateDatabase);
    case kDropDatabase:
      return ForDrop(sql::ReadDrop(text, conforming), VerifyDropDatabase);
    case kAlterDatabaseSetTablespace:
      return From(sql::ReadDatabaseTablespace(text, conforming), VerifyDatabaseTablespace);
    case kCreateTablespace:
      return From(sql::ReadCreate(text, conforming), VerifyCreateTablespace);
    case kDropTablespace:
      return ForDrop(sql::ReadDrop(text, conforming), VerifyDropTablespace);
    case kCreateSubscription:
      return From(sql::ReadSubscription(text, conforming), VerifyCreateSubscription);
    case kDropSubscription:
      return ForDrop(sql::ReadDrop(text, conforming), VerifyDropSubscription);
    case kAlterSubscriptionPublication:
      return ForPublications(sql::ReadSubscription(text, conforming));
    case kCommitPrepared:
    case kRollbackPrepared:
      return From(sql::ReadPreparedTransaction(text, conforming), VerifyEndPrepared);
    case kCreateLogicalSlot:
      return ForSlot(sql::ReadCall(text, conforming));
    case kContinuousAggregateWithData:
      return From(sql::ReadMaterializedView(text, conforming), VerifyContinuousAggregate);
    case kUpdateTimescaledb:
      return From(sql::ReadExtensionUpdate(text, conforming), VerifyExtensionUpdate);
    case kDistributeTableConcurrently:
      return ForDistribution(sql::ReadCall(text, conforming));
    case kReindexMany:
    case kVacuum:
    case kClusterAll:
    case kAlterSystem:
    case kAlterSubscriptionRefresh:
    case kAlterSubscriptionSlotOption:
    case kRefreshContinuousAggregate:
      return RunAgain();
    case kDiscardAll:
      break;
  }
  return nullptr;
}

constexpr std::string_view kWayOut =
    "; if running it again after it was interrupted, or done, does no harm, write the line "
    "`-- whimbrel: transaction=none idempotent` before it";

}  // namespace

std::unique_ptr<Verifier> RunAgain() { return std::make_unique<HarmlessVerifier>(); }

Result<std::unique_ptr<Verifier>> MakeVerifier(std::string_view statement,
                                               const sql::StatementFacts& facts,
                                               bool standard_conforming_strings, bool idempotent) {
  const std::optional<sql::NonTransactional> kind = facts.non_transactional;
  if (kind == sql::NonTransactional::kDiscardAll) {
    return Fail(ErrorKind::kInvalidArgument,
                "DISCARD ALL would release the locks that guard the migration; take it out: the "
                "session is cleaned after every file");
  }
  std::unique_ptr<Verifier> verifier;
  if (kind.has_value()) verifier = ForKind(*kind, statement, standard_conforming_strings);
  if (facts.non_transactional_if_partitioned) verifier = RunAgain();
  if (verifier != nullptr && idempotent)
    verifier = std::make_unique<IdempotentVerifier>(std::move(verifier));
  if (verifier == nullptr && idempotent) verifier = RunAgain();
  if (verifier != nullptr) return verifier;
  if (!kind.has_value()) {
    return Fail(ErrorKind::kInvalidArgument,
                "nobody could tell whether this statement was done, should it be interrupted "
                "outside of a transaction" +
                    std::string(kWayOut));
  }
  return Fail(
      ErrorKind::kInvalidArgument,
      "what this " + std::string(sql::Describe(*kind).name) +
          " names cannot be read, so that nobody could tell whether it was done, should it "
          "be interrupted; write names without U& and as plain '…' literals, and a function "
          "alone in its SELECT" +
          std::string(kWayOut));
}

}  // namespace whimbrel::engine
