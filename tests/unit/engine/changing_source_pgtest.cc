#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "unit/engine/run_fixture.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::engine {
namespace {

using report::Progress;
using whimbrel::testing::PgClient;
using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  Result<std::string_view> Read() override {
    return std::exchange(done_, true) ? std::string_view() : std::string_view(text_);
  }

 private:
  std::string text_;
  bool done_ = false;
};

/// A file of a folder that somebody writes to between two readings.
class ChangingFile final : public migration::SourceFile {
 public:
  explicit ChangingFile(std::string text) : text_(std::move(text)), size_(text_->size()) {
    Sha256 hash;
    hash.Update(*text_);
    sha256_ = hash.FinishHex();
  }
  /// nullopt removes it.
  void Change(std::optional<std::string> text) { text_ = std::move(text); }

  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::string& sha256() const override { return sha256_; }
  [[nodiscard]] Result<std::unique_ptr<ByteSource>> Open() const override {
    if (!text_) return Fail(ErrorKind::kNotFound, path_ + " is not there");
    return std::make_unique<TextSource>(*text_);
  }

 private:
  std::string path_ = "001_a.sql";
  std::optional<std::string> text_;
  std::uint64_t size_;
  std::string sha256_;
};

const std::string kBefore = "CREATE TABLE a (id int);  \n";

struct Change {
  const char* name;
  Progress::Phase when;  ///< Before pass 1: planning; before pass 2: migrating.
  std::optional<std::string> text;
};

class ChangingSource : public ::testing::TestWithParam<Change> {};

TEST_P(ChangingSource, IsNamedAndNothingOfItIsApplied) {
  const PgTarget database = SharedPostgres().CreateDatabase();
  auto file = std::make_shared<ChangingFile>(kBefore);
  auto source = std::make_shared<migration::Source>();
  source->files = {file};
  report::RunRequest request = RequestFor(database, {});
  request.source = source;
  const report::RunReport report = RunNow(request, {}, [&](const Progress& progress) {
    if (progress.phase == GetParam().when) file->Change(GetParam().text);
  });
  ASSERT_EQ(Ending(report), "SourceChanged 001 transient");
  EXPECT_THAT(report.failure->message, ::testing::HasSubstr("001_a.sql"));
  PgClient sql(database);
  EXPECT_EQ(sql.Scalar("SELECT to_regclass('public.a') IS NULL"), "t");
  EXPECT_EQ(sql.Scalar("SELECT count(*) FROM whimbrel.whimbrel_migration"), "0");

  file->Change(kBefore);
  EXPECT_EQ(Ending(RunNow(request, {}, [](const Progress&) {})), "Succeeded 001");
}

constexpr auto kPassOne = Progress::Phase::kPlanning;
constexpr auto kPassTwo = Progress::Phase::kMigrating;
// As long as before: a file that has become shorter is noticed by its length already.
constexpr const char* kOther = "CREATE TABLE a (id text); \n";
constexpr const char* kCommits = "CREATE TABLE a(); COMMIT; \n";
constexpr const char* kBroken = "CREATE TABLE a (id 'int)  \n";

INSTANTIATE_TEST_SUITE_P(Cases, ChangingSource,
                         ::testing::Values(Change{"OtherTextBeforePassOne", kPassOne, kOther},
                                           Change{"OtherTextBeforePassTwo", kPassTwo, kOther},
                                           Change{"CommitBeforePassOne", kPassOne, kCommits},
                                           Change{"CommitBeforePassTwo", kPassTwo, kCommits},
                                           Change{"OpenQuoteBeforePassOne", kPassOne, kBroken},
                                           Change{"OpenQuoteBeforePassTwo", kPassTwo, kBroken},
                                           Change{"ShorterBeforePassTwo", kPassTwo, "SELECT"},
                                           Change{"GoneBeforePassOne", kPassOne, std::nullopt},
                                           Change{"GoneBeforePassTwo", kPassTwo, std::nullopt}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace whimbrel::engine
