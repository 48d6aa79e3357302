#pragma once

#include <string>
#include <utility>
#include <vector>

#include "whimbrel/engine/plan.h"

namespace whimbrel::engine {

/// Builds a PlanInput in a few words: files by version, ledger rows, tool rows.
class InputBuilder {
 public:
  InputBuilder& File(const std::string& version, const std::string& description = "",
                     const std::string& sum = "") {
    migration::ResolvedMigration file;
    file.version = *migration::Version::Parse(version);
    file.description = description.empty() ? "d" + version : description;
    file.path = version + "_" + file.description + ".sql";
    file.sum = sum.empty() ? "s" + version : sum;
    file.raw_sum = "raw" + file.sum;
    resolved_.versioned.push_back(std::move(file));
    return *this;
  }
  InputBuilder& Repeatable(const std::string& description, const std::string& sum) {
    migration::ResolvedMigration file;
    file.kind = migration::Kind::kRepeatable;
    file.description = description;
    file.path = "R__" + description + ".sql";
    file.sum = sum;
    file.raw_sum = "raw" + sum;
    resolved_.repeatable.push_back(std::move(file));
    return *this;
  }
  InputBuilder& Applied(const std::string& version, const std::string& description = "",
                        const std::string& sum = "", int run = 1,
                        history::LedgerState state = history::LedgerState::kApplied) {
    history::LedgerRow row;
    row.id = migration::Version::Parse(version)->canonical();
    row.version = version;
    row.run = run;
    row.state = state;
    row.description = description.empty() ? "d" + version : description;
    row.path = version + "_" + row.description + ".sql";
    row.sum = sum.empty() ? "s" + version : sum;
    row.raw_sum = "raw" + *row.sum;
    input_.ledger.push_back(std::move(row));
    return *this;
  }
  InputBuilder& AppliedRepeatable(const std::string& description, const std::string& sum,
                                  int run = 1) {
    history::LedgerRow row;
    row.kind = migration::Kind::kRepeatable;
    row.id = description;
    row.description = description;
    row.run = run;
    row.sum = sum;
    input_.ledger.push_back(std::move(row));
    return *this;
  }
  InputBuilder& Baseline(const std::string& version) {
    history::LedgerRow row;
    row.kind = migration::Kind::kBaseline;
    row.id = version;
    row.version = version;
    row.origin = history::Origin::kBaseline;
    input_.ledger.push_back(std::move(row));
    return *this;
  }
  /// The tool's table exists, so far without rows.
  InputBuilder& Tool() {
    if (!input_.tool) input_.tool.emplace();
    input_.tool->exists = true;
    return *this;
  }
  InputBuilder& ToolRow(const std::string& version, std::optional<std::string> sum = std::nullopt,
                        bool failed = false) {
    Tool();
    history::ToolRow row;
    row.id = migration::Version::Parse(version)->canonical();
    row.version = version;
    row.description = "d" + version;
    row.path = version + "_d" + version + ".sql";
    row.sum = std::move(sum);
    row.failed = failed;
    input_.tool->applied.push_back(std::move(row));
    return *this;
  }
  InputBuilder& ToolRepeatable(const std::string& description, const std::string& sum) {
    Tool();
    history::ToolRow row;
    row.kind = migration::Kind::kRepeatable;
    row.id = description;
    row.description = description;
    row.sum = sum;
    input_.tool->applied.push_back(std::move(row));
    return *this;
  }
  InputBuilder& ToolGone() {
    input_.tool.emplace();
    return *this;
  }
  InputBuilder& ToolBaseline(const std::string& version) {
    Tool();
    input_.tool->baseline_version = version;
    return *this;
  }
  InputBuilder& Target(const std::string& version) {
    input_.target_version = version;
    return *this;
  }
  InputBuilder& OutOfOrder(report::OutOfOrder policy) {
    input_.out_of_order = policy;
    return *this;
  }
  InputBuilder& Adopt(report::Adopt policy) {
    input_.adopt = policy;
    return *this;
  }
  InputBuilder& WantBaseline(const std::string& version) {
    input_.baseline_version = version;
    return *this;
  }

  /// Valid as long as the builder.
  const PlanInput& Input() {
    input_.resolved = &resolved_;
    input_.set = "public.history";
    return input_;
  }

 private:
  migration::ResolvedMigrations resolved_;
  PlanInput input_;
};

}  // namespace whimbrel::engine
