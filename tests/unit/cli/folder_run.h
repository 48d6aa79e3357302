#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/postgres_server.h"
#include "support/subprocess.h"
#include "support/temp_dir.h"

namespace whimbrel::cli {

/// `whimbrel run DIR` as a person starts it, and the database that it finds in its environment.
class FolderRunTest : public ::testing::Test {
 protected:
  [[nodiscard]] whimbrel::testing::SpawnOptions Command(std::vector<std::string> more = {}) const {
    whimbrel::testing::SpawnOptions options;
    options.argv = {WHIMBREL_BINARY, "run", folder_.path().string()};
    options.argv.insert(options.argv.end(), more.begin(), more.end());
    options.environment = database_.Environment();
    return options;
  }
  whimbrel::testing::ProcessResult Run(std::vector<std::string> more = {}) {
    return whimbrel::testing::RunProcess(Command(std::move(more)));
  }

  /// How many sessions of runs there are, of which `condition` is true.
  [[nodiscard]] std::string Sessions(const std::string& condition = "true") {
    return sql_.Scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'whimbrel/%' AND "
        "datname = current_database() AND " +
        condition);
  }

  whimbrel::testing::TempDir folder_;
  whimbrel::testing::PgTarget database_ = whimbrel::testing::SharedPostgres().CreateDatabase();
  whimbrel::testing::PgClient sql_{database_};
};

}  // namespace whimbrel::cli
