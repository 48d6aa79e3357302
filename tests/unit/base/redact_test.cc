#include "whimbrel/base/redact.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "base/credential_words.h"

namespace whimbrel {
namespace {

struct Case {
  const char* name;
  std::string_view text;
  std::string_view expected;
};

template <std::size_t N>
void ExpectEach(const Case (&cases)[N]) {
  for (const Case& c : cases) {
    EXPECT_EQ(Redact(c.text), c.expected) << c.name;
    EXPECT_EQ(Redact(c.expected), c.expected) << c.name << ", done twice";
  }
}

TEST(RedactTest, TakesTheUserInfoOutOfUrls) {
  const Case cases[] = {
      {"user and password", "postgres://app:pw@db:5432/app?sslmode=require",
       "postgres://[redacted]@db:5432/app?sslmode=require"},
      {"user alone", "postgresql://app@db/app", "postgresql://[redacted]@db/app"},
      {"password alone", "redis://:pw@cache:6379/0", "redis://[redacted]@cache:6379/0"},
      {"any scheme", "git+ssh://git:pw@host/x.git", "git+ssh://[redacted]@host/x.git"},
      {"behind jdbc:", "jdbc:postgresql://app:pw@db/app", "jdbc:postgresql://[redacted]@db/app"},
      {"several hosts", "postgres://app:pw@h1:1,h2:2/app", "postgres://[redacted]@h1:1,h2:2/app"},
      {"IPv6", "postgres://app:pw@[::1]:5432/app", "postgres://[redacted]@[::1]:5432/app"},
      {"within a sentence", "cannot reach \"http://u:p@h/\": refused",
       "cannot reach \"http://[redacted]@h/\": refused"},
      {"twice in a line", "http://a:b@c and http://d:e@f",
       "http://[redacted]@c and http://[redacted]@f"},
      {"percent-encoded", "postgres://app:p%40%3A%2Fw@db/app", "postgres://[redacted]@db/app"},
      {"an @ in the password", "postgres://app:p@ss@w@db/app", "postgres://[redacted]@db/app"},
      {"a slash in the password", "postgres://app:pa/ss@db/app", "postgres://[redacted]@db/app"},
      {"a slash, a ? and a # after an @", "postgres://app:p@s/s?w#d@db/app",
       "postgres://[redacted]@db/app"},
      {"a space in the password", "postgres://app:pa ss@db/app", "postgres://[redacted]@db/app"},
      {"quotes in the password", "postgres://app:p'a\"s`s@db/app", "postgres://[redacted]@db/app"},
      {"brackets in the password", "postgres://app:<pw>@db/app", "postgres://[redacted]@db/app"},
      {"a space and an @ in the password", "postgres://app:p s@w@db/app x",
       "postgres://[redacted]@db/app x"},
      {"a password of digits", "postgres://app:1234@db/app", "postgres://[redacted]@db/app"},
      {"other than ASCII", "postgres://äpp:pässwörd@db/app", "postgres://[redacted]@db/app"},
      {"a password that begins with a quote", "postgres://app:\"p\"@db/app",
       "postgres://[redacted]@db/app"},
      {"cut off before the @", "postgres://app:hunter2", "postgres://[redacted]"},
      {"a parameter too", "postgres://db/app?user=a&password=pw",
       "postgres://db/app?user=a&password=[redacted]"},
  };
  ExpectEach(cases);
}

TEST(RedactTest, TakesTheValuesOfConninfoKeys) {
  const Case cases[] = {
      {"plain", "host=db password=pw user=app", "host=db password=[redacted] user=app"},
      {"at the end", "host=db password=pw", "host=db password=[redacted]"},
      {"quoted", "password='p w' user=app", "password='[redacted]' user=app"},
      {"quoted with an escaped quote", R"(password='p\'w x' user=app)",
       "password='[redacted]' user=app"},
      {"quoted with an escaped backslash", R"(password='pw\\' user=app)",
       "password='[redacted]' user=app"},
      {"blanks around the sign", "password = 'pw' user=app", "password = '[redacted]' user=app"},
      {"an escaped space", R"(password=p\ w user=app)", "password=[redacted] user=app"},
      {"delimiters of other syntaxes", "password=p&w;x,y)z user=app",
       "password=[redacted] user=app"},
      {"a quote within", "password=p'w\"x user=app", "password=[redacted] user=app"},
      {"an escaped quote at the beginning", R"(password=\'pw user='app')",
       "password=[redacted] user='app'"},
      {"never closed", "password='p w user=app", "password='[redacted]"},
      {"an empty value", "password='' user=app", "password='' user=app"},
      {"no value", "password=", "password="},
      {"in capitals, prefixed", "PGPASSWORD=pw psql", "PGPASSWORD=[redacted] psql"},
      {"the key of a client certificate", "sslpassword=pw", "sslpassword=[redacted]"},
      {"a quoted value with a tail: who knows what is quoted", "password=\"p\"w user=app",
       "password=\"[redacted]\"[redacted]"},
      {"an escaped line break: a value's, or the line's", "password=p\\\nw user=app",
       "password=[redacted]"},
  };
  ExpectEach(cases);
}

TEST(RedactTest, TakesTheValuesOfJsonAndYamlKeys) {
  const Case cases[] = {
      {"JSON", R"({"password":"pw","user":"app"})", R"({"password":"[redacted]","user":"app"})"},
      {"JSON with an escaped quote", R"({"password": "p\"w", "user": "app"})",
       R"({"password": "[redacted]", "user": "app"})"},
      {"JSON in a JSON string", R"("{\"password\":\"p w\",\"user\":\"app\"}")",
       R"("{\"password\":\"[redacted]\",\"user\":\"app\"}")"},
      {"the same with an escaped quote", R"("{\"token\":\"p\\\"w\",\"user\":\"app\"}")",
       R"("{\"token\":\"[redacted]\",\"user\":\"app\"}")"},
      {"a number", "{\"password\": 1234}", "{\"password\": [redacted]"},
      {"YAML", "user: app\npassword: pw\nhost: db", "user: app\npassword: [redacted]\nhost: db"},
      {"YAML, quoted", "password: 'it''s' # x", "password: '[redacted]' # x"},
      {"YAML with spaces", "password: p4 w0rd\nhost: db", "password: [redacted]\nhost: db"},
      {"keys on one line", "password: swordfish host: db", "password: [redacted]"},
      {"what the API server refuses", "spec.password: Invalid value: \"pw\": too short",
       "spec.password: [redacted]"},
      {"a hash", "'password' => 'pw', x", "'password' => '[redacted]', x"},
      {"camel case", "clientSecret: x1", "clientSecret: [redacted]"},
      {"a kubeconfig", "client-key-data: LS0tLS1C\nname: x",
       "client-key-data: [redacted]\nname: x"},
      {"a header", "Authorization: Basic dXNlcjpwdw==\r\nHost: x",
       "Authorization: [redacted]\r\nHost: x"},
      {"a header with a word", "Authorization: Bearer swordfish", "Authorization: [redacted]"},
  };
  ExpectEach(cases);
}

TEST(RedactTest, TakesThePasswordLiteralsOfSql) {
  const Case cases[] = {
      {"plain", "CREATE ROLE app PASSWORD 'p w' LOGIN;",
       "CREATE ROLE app PASSWORD '[redacted]' LOGIN;"},
      {"lower case", "alter role app encrypted password 'pw'",
       "alter role app encrypted password '[redacted]'"},
      {"a doubled quote", "PASSWORD 'p''w' LOGIN", "PASSWORD '[redacted]' LOGIN"},
      {"an escape string", R"(PASSWORD E'p\'w' LOGIN)", "PASSWORD E'[redacted]' LOGIN"},
      {"a Unicode string", "PASSWORD U&'p\\0061w' LOGIN", "PASSWORD U&'[redacted]' LOGIN"},
      {"dollar quotes", "PASSWORD $$p'w$$ LOGIN", "PASSWORD $$[redacted]$$ LOGIN"},
      {"tagged dollar quotes", "PASSWORD $a1$p$$w$a1$ LOGIN", "PASSWORD $a1$[redacted]$a1$ LOGIN"},
      {"on the next line", "PASSWORD\n  'pw'\n  LOGIN", "PASSWORD\n  '[redacted]'\n  LOGIN"},
      {"without a space", "PASSWORD'pw' LOGIN", "PASSWORD'[redacted]' LOGIN"},
      {"cut off", "LINE 1: CREATE ROLE app PASSWORD 'p w",
       "LINE 1: CREATE ROLE app PASSWORD '[redacted]"},
      {"a user mapping", "OPTIONS (user 'app', password 'pw')",
       "OPTIONS (user 'app', password '[redacted]')"},
      {"an assignment", "UPDATE t SET password = 'p w' WHERE a",
       "UPDATE t SET password = '[redacted]' WHERE a"},
      {"a backslash that may end it or not", R"(PASSWORD 'x\'; ALTER ROLE b PASSWORD 'pw')",
       "PASSWORD [redacted]"},
  };
  ExpectEach(cases);
}

TEST(RedactTest, TakesBearerTokensAndPemBlocks) {
  const Case cases[] = {
      {"a token", "sent Bearer eyJhbGciOi.J9.x-_y to h", "sent Bearer [redacted] to h"},
      {"in lower case", "bearer abc123", "bearer [redacted]"},
      {"of letters alone", "Bearer abcdefghijklmnopqrst", "Bearer [redacted]"},
      {"a PEM block",
       "key:\n-----BEGIN PRIVATE KEY-----\nMIIE\nvQ==\n-----END PRIVATE KEY-----\nend",
       "key:\n[redacted]\nend"},
      {"within JSON",
       R"("k":"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n")",
       R"("k":"[redacted]\n")"},
      {"behind a word", "key-----BEGIN X-----MII-----END X-----", "key[redacted]"},
      {"cut off", "-----BEGIN PRIVATE KEY-----\nMIIE", "[redacted]"},
      {"two of them", "-----BEGIN A-----x-----END A-----\n-----BEGIN B-----y-----END B-----",
       "[redacted]\n[redacted]"},
  };
  ExpectEach(cases);
}

TEST(RedactTest, LeavesOrdinaryTextAlone) {
  const std::string_view texts[] = {
      "",
      "FATAL:  password authentication failed for user \"app\"",
      "fe_sendauth: no password supplied",
      "the password's length must not exceed 100",
      "Secret \"orders-db\" has no key \"password\"",
      "spec.database.password: Required value",
      "password: not found\nhost: db",
      "database.password: unknown field; the password comes from a Secret",
      "open /var/run/secrets/kubernetes.io/serviceaccount/token: No such file or directory",
      "open /run/token: E2BIG",
      "secretRef: orders-db, passwordKey: pw, tokenFile: x",
      "bypass: true, compass=north",
      "https://10.0.0.1:6443/api/v1/namespaces?limit=500&watch=1",
      "dial http://localhost:8080: connection refused; ask admin@example.com",
      "see http://localhost:8080, or https://[::1]:8443/x",
      "GET https://example.com: refused; ask admin@example.com",
      "https://example.com/@user/page",
      "postgres://db:5432/app",
      "postgres:///app?host=/run/postgresql",
      "postgres://h1:5432,h2:5433/app",
      "registry.example.com:5000/whimbrel@sha256:0123abcd",
      "mail admin@example.com about 10:30",
      "SELECT password::text, std::token FROM users WHERE id = $1",
      "no bearer token was sent; Bearer authentication is on",
      "ERROR:  relation \"orders\" does not exist\nLINE 1: SELECT * FROM orders\n                  "
      "    ^",
      "----- 8< -----",
      "-- a comment: see https://www.postgresql.org/docs/15/sql-createrole.html#PASSWORD",
      "Grüße, 世界 😀 \xff\xfe",
  };
  for (const std::string_view text : texts) EXPECT_EQ(Redact(text), text);
}

/// Texts that hold the canary in every place that a credential may have.
constexpr std::string_view kCanary = "H0pp3r!";
constexpr std::string_view kTraps[] = {
    "could not parse postgres://app:H0pp3r!@db/app?x=1: bad",
    "postgres://app:\"H0pp3r!\"@db/app",
    "host=db password=H0pp3r! user=app",
    "host=db password='a b \\' H0pp3r!' user=app",
    "password=\\'H0pp3r! user=app",
    "{\"a\":{\"password\":\"x \\\\\\\" H0pp3r!\",\"b\":1}}",
    "annotation: \"{\\\"password\\\":\\\"a \\\\\\\" H0pp3r!\\\"}\"",
    "password: H0pp3r! is wrong",
    "token=H0pp3r!",
    "ALTER ROLE app WITH ENCRYPTED PASSWORD 'a '' H0pp3r!' VALID UNTIL 'infinity'",
    "ALTER ROLE app PASSWORD 'a\\'; ALTER ROLE b PASSWORD 'H0pp3r!'",
    "ALTER ROLE app PASSWORD $x$a $$ ' H0pp3r!$x$ LOGIN",
    "Authorization: Bearer H0pp3r!",
    "-----BEGIN PRIVATE KEY-----\nH0pp3r!\n-----END PRIVATE KEY-----",
    // Found by fuzzing: what was cut off, before a line with a credential of its own.
    "LINE 1: PASSWORD '\nALTER ROLE app PASSWORD 'H0pp3r!' LOGIN",
    "token=x\\\npassword: H0pp3r!",
    "-----BEGIN x -----END y\n-----BEGIN PRIVATE KEY-----\nH0pp3r!\n-----END PRIVATE KEY-----",
};

void ExpectCaught(std::string_view text) {
  const std::string out = Redact(text);
  EXPECT_EQ(out.find("H0pp3r"), std::string::npos) << text << "\nbecame\n" << out;
}

std::string Join(std::string_view before, std::string_view trap) {
  return std::string(before) + "\n" + std::string(trap) + "\n" + std::string(before);
}

TEST(RedactTest, NoCanaryGetsOutWhereverTheTextIsCut) {
  for (const std::string_view trap : kTraps) {
    const std::size_t whole = trap.find(kCanary) + kCanary.size();
    for (std::size_t end = whole; end <= trap.size(); ++end) {
      ExpectCaught(trap.substr(0, end));
    }
  }
}

/// As kTraps, but only the last @ tells what the text is.
constexpr std::string_view kWholeTraps[] = {
    "postgres://app:a@b/H0pp3r!@db/app",
    "postgres://app:a b H0pp3r!@db/app",
};

TEST(RedactTest, NoTextBesideItLetsACanaryOut) {
  for (const std::string_view before : kTraps) {
    for (const std::string_view trap : kTraps) ExpectCaught(Join(before, trap));
    for (const std::string_view trap : kWholeTraps) ExpectCaught(Join(before, trap));
  }
}

TEST(RedactTest, APasswordMayBeAsLongAsAToken) {
  for (const std::size_t length : {1000, 4000, 5000, 100'000}) {
    const std::string password = "ey" + std::string(length, 'x') + "H0pp3r!";
    ExpectCaught("postgres://app:" + password + "@db/app");
    ExpectCaught("postgres://app:'" + password + "@db/app");
    ExpectCaught("host=db password=" + password);
  }
}

TEST(RedactTest, TakesTimeInProportionToTheText) {
  // Quadratic behaviour would take minutes here, and the test's time limit would end it.
  for (const std::string_view piece :
       {"://a:b ", "://a ", "://a/", "://a:1 ", "password=", "password='", "\\", "-----BEGIN ", "a",
        "$a", "Bearer ", "password: ", "password: a b ", "'"}) {
    std::string text;
    while (text.size() < 500'000) text += piece;
    EXPECT_FALSE(Redact(text).empty());
  }
}

TEST(CredentialWordsTest, TellKeysOfCredentialsFromOthers) {
  for (const std::string_view key : {"password", "PGPASSWORD", "db-pass", "pwd", "user.passwd"}) {
    EXPECT_TRUE(NamesPassword(key)) << key;
    EXPECT_TRUE(NamesCredential(key)) << key;
  }
  for (const std::string_view key :
       {"secret", "token", "apiKey", "X-API-Key", "aws_secret_access_key", "client-key-data"}) {
    EXPECT_FALSE(NamesPassword(key)) << key;
    EXPECT_TRUE(NamesCredential(key)) << key;
  }
  for (const std::string_view key :
       {"", "bypass", "secretName", "tokens", "password_hash_algorithm", "key"}) {
    EXPECT_FALSE(NamesCredential(key)) << key;
  }
}

}  // namespace
}  // namespace whimbrel
