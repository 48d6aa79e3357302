#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <random>
#include <string>

#include "support/postgres_server.h"
#include "unit/sql/corpus.h"
#include "unit/sql/splitting.h"
#include "whimbrel/base/c_ptr.h"

namespace whimbrel::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Asks a real server how it reads a text, without running it.
class ServerParser {
 public:
  ServerParser()
      : connection_(
            PQconnectdb(whimbrel::testing::SharedPostgres().target().KeywordValue().c_str())) {
    EXPECT_EQ(PQstatus(connection_.get()), CONNECTION_OK) << PQerrorMessage(connection_.get());
    PQclear(PQexec(connection_.get(), "set escape_string_warning = off"));
  }

  void SetStandardConformingStrings(bool on) {
    PQclear(PQexec(connection_.get(), on ? "set standard_conforming_strings = on"
                                         : "set standard_conforming_strings = off"));
  }
  /// Empty when the text is one command that can be prepared.
  std::string ErrorOf(const std::string& text) {
    const CPtr<PGresult, PQclear> result(
        PQprepare(connection_.get(), "", text.c_str(), 0, nullptr));
    return PQresultErrorMessage(result.get());
  }

 private:
  CPtr<PGconn, PQfinish> connection_;
};

constexpr std::string_view kManyCommands = "cannot insert multiple commands";

/// The server must never find a second command in what we take for one.
void ExpectOneCommandEach(ServerParser& server, const std::string& text) {
  bool standard = true;
  for (const Splitting::Part& part : Split(text).parts) {
    if (part.kind != 's') continue;
    EXPECT_THAT(server.ErrorOf(part.text), Not(HasSubstr(kManyCommands))) << part.text << "\nin\n"
                                                                          << text;
    const bool now = StandardConformingStringsAfter(Classify(part.text, standard), standard, true);
    if (now != standard) server.SetStandardConformingStrings(now);
    standard = now;
  }
  if (!standard) server.SetStandardConformingStrings(true);
}

TEST(SplitterOnServer, FindsOneCommandInEachStatementOfTheCorpus) {
  ServerParser server;
  ASSERT_THAT(server.ErrorOf("select 1; select 2"), HasSubstr(kManyCommands));
  for (const SplitCase& row : SplitCorpus()) ExpectOneCommandEach(server, row.input);
}

TEST(SplitterOnServer, FindsTheStatementsThatRandomValidOnesWereMadeOf) {
  const std::vector<std::string> expressions = {"';'",
                                                "''''",
                                                R"(E'\';')",
                                                R"(e'\\')",
                                                R"(U&'\0061;')",
                                                "u&'d!0061;' uescape '!'",
                                                "b'1'",
                                                "X'1F'",
                                                "n';'",
                                                "$$;$$",
                                                "$a$;$$;$A$;$a$",
                                                "$é$;'$é$",
                                                "'a'\n';b'",
                                                "E'a'\n'\\';b'",
                                                "1 -- ';\n",
                                                "/* ; ' */ 2",
                                                "1 /* /* */ ; */",
                                                "2*/* ; */3",
                                                "5--;\n+1",
                                                "1 as \"a;\"",
                                                "1 as \";\"\"\"",
                                                "(select ';')",
                                                "1 as a$b$",
                                                "case when true then 1 end",
                                                "'{}'::jsonb",
                                                "array[1,2]",
                                                "1.5e3",
                                                ".5",
                                                "-- $$;\n3",
                                                "1 as end"};
  ServerParser server;
  std::mt19937 random(11);  // NOLINT: the same texts each time.
  for (int i = 0; i < 1'000 && !::testing::Test::HasFailure(); ++i) {
    std::string text;
    const std::size_t count = 1 + random() % 4;
    for (std::size_t k = 0; k < count; ++k) {
      text += "select " + expressions[random() % expressions.size()];
      while (random() % 3 > 0) text += ", " + expressions[random() % expressions.size()];
      text += random() % 2 == 0 ? ";" : "\n; ";
    }
    const auto statements = SplitAll(text);
    ASSERT_TRUE(statements.has_value()) << statements.error().ToString() << "\n" << text;
    EXPECT_EQ(statements->size(), count) << text;
    for (const OwnedStatement& statement : *statements) {
      EXPECT_EQ(server.ErrorOf(statement.text), "") << statement.text << "\nin\n" << text;
    }
  }
}

}  // namespace
}  // namespace whimbrel::sql
