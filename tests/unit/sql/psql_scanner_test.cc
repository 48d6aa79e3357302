#include "whimbrel/sql/psql_scanner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "corpus.h"
#include "splitting.h"

namespace whimbrel::sql {
namespace {

/// Text as it is, `{value}`, `<command(argument)(argument)>`, `!line:column: message`; `\set` takes
/// effect. What Closing() says comes behind `$`.
std::string Scan(ByteSource& source) {
  PsqlVariables variables;
  PsqlScanner scanner(source, "", variables);
  std::string dump;
  while (true) {
    const Result<std::optional<PsqlPiece>> piece = scanner.Next();
    if (!piece) return dump + "!" + piece.error().ToString();
    if (!*piece) break;
    if (const auto* text = std::get_if<PsqlText>(&**piece)) dump += text->text;
    if (const auto* value = std::get_if<PsqlValue>(&**piece)) dump += "{" + value->text + "}";
    const auto* command = std::get_if<PsqlCommand>(&**piece);
    if (command == nullptr) continue;
    dump += "<" + command->name;
    for (const std::string& argument : command->arguments) dump += "(" + argument + ")";
    dump += ">";
    if (command->name == "set" && command->arguments.size() == 2)
      variables[command->arguments[0]] = command->arguments[1];
  }
  const std::string closing = scanner.Closing();
  return closing.empty() ? dump : dump + "$" + closing;
}

struct Case {
  const char* name;
  std::string text;
  std::string scanned;
};

const std::string kSet = "\\set a 1\n\\set s 'it''s'\n\\set b 'x\\\\y'\n";
const std::string kSetScanned = "<set(a)(1)>\n<set(s)(it's)>\n<set(b)(x\\y)>\n";

TEST(PsqlScannerTest, ReplacesWhatTheFileHasSet) {
  const std::vector<Case> cases = {
      {"plain", "select :a;\n", "select {1};\n"},
      {"as a literal", "select :'s';\n", "select {'it''s'};\n"},
      {"as a literal with a backslash", "select :'b';\n", "select { E'x\\\\y'};\n"},
      {"as an identifier", "select :\"s\";\n", "select {\"it's\"};\n"},
      {"names end where psql ends them", "select :a.b, :a_b, :a-1, x:a;\n",
       "select {1}.b, :a_b, {1}-1, x{1};\n"},
      {"unknown names stay", "select :x, :'x', :\"x\", :DBNAME, :1, : a;\n",
       "select :x, :'x', :\"x\", :DBNAME, :1, : a;\n"},
      {"not within quotes", "select ':a', E'\\':a', \":a\", $$:a$$, $q$ :'s' $q$;\n",
       "select ':a', E'\\':a', \":a\", $$:a$$, $q$ :'s' $q$;\n"},
      {"not within comments", "-- :a\n/* :a */ select 1;\n", "-- :a\n/* :a */ select 1;\n"},
      {"a cast is none", "select x::a, x:::a, f(y:=a), f(y:= :a);\n",
       "select x::a, x::{1}, f(y:=a), f(y:= {1});\n"},
      {"a slice is none", "select x[1:a], x[:a], x[a[:a]:a], x[1:'s'], (x)[1:a];\n",
       "select x[1:a], x[:a], x[a[:a]:a], x[1:'s'], (x)[1:a];\n"},
      {"in parentheses within a subscript", "select x[(:a)], x[f(:a):2];\n",
       "select x[({1})], x[f({1}):2];\n"},
      {"ARRAY has no slices",
       "select array[:a, :'s'], ARRAY [[:a], [:a]], array[x[1:a], :a][1:a];\n",
       "select array[{1}, {'it''s'}], ARRAY [[{1}], [{1}]], array[x[1:a], {1}][1:a];\n"},
      {"brackets end with the statement", "select x[1; select :a;\n", "select x[1; select {1};\n"},
      {"not in the data of COPY", "copy t from stdin;\n:a\n\\echo\n\\.\nselect :a;\n",
       "copy t from stdin;\n:a\n\\echo\n\\.\nselect {1};\n"},
      {"in the rest of the COPY line", "copy t from stdin; select :a;\n:a\n\\.\nselect :a;\n",
       "copy t from stdin; select {1};\n:a\n\\.\nselect {1};\n"},
      {"two COPYs on a line",
       "copy t from stdin; copy :\"s\" from stdin;\n:a\n\\.\n:a\n\\.\nselect :a;\n",
       "copy t from stdin; copy {\"it's\"} from stdin;\n:a\n\\.\n:a\n\\.\nselect {1};\n"},
      {"a table's name in COPY", "copy :\"s\" from stdin;\n:a\n\\.\n",
       "copy {\"it's\"} from stdin;\n:a\n\\.\n"},
      {"strings as the file sets them",
       "set standard_conforming_strings = off;\nselect '\\':a', :a;\n",
       "set standard_conforming_strings = off;\nselect '\\':a', {1};\n"},
  };
  for (const Case& c : cases) {
    for (const std::size_t chunk : {1, 2, 3, 7, 1000}) {
      const std::string text = kSet + c.text;
      ChunkedSource source(text, {chunk});
      EXPECT_EQ(Scan(source), kSetScanned + c.scanned) << c.name << ", in chunks of " << chunk;
    }
  }
}

TEST(PsqlScannerTest, ReadsCommandsAndTheirArguments) {
  const std::vector<Case> cases = {
      {"paths", "\\i a b.sql\n\\ir 'a b.sql'\n", "<i(a)(b.sql)>\n<ir(a b.sql)>\n"},
      {"carriage returns", "\\i a.sql\r\n\\include b\r\n", "<i(a.sql)>\n<include(b)>\n"},
      {"at the end of the text", "\\include_relative x", "<include_relative(x)>$\n"},
      {"after a statement", "select 1; \\echo done\nselect 2;\n",
       "select 1; <echo(done)>\nselect 2;\n"},
      {"two on a line", "\\set x 1 \\set y :x:x\n", "<set(x)(1)><set(y)(11)>\n"},
      {"SQL behind a double backslash", "\\echo a \\\\ select 1;\n", "<echo(a)> select 1;\n"},
      {"quotes", "\\set x 'a\\n\\t\\101\\x42\\'c''d' \"e f\"g\n",
       "<set(x)(a\n\tAB'c'd)(\"e f\"g)>\n"},
      {"variables in arguments", "\\set x 'it''s'\n\\qecho :x :'x' :\"x\" ':x' :y\n",
       "<set(x)(it's)>\n<qecho(it's)('it''s')(\"it's\")(:x)(:y)>\n"},
      {"unknown variables in arguments keep their quotes", "\\set x :'y' \\echo :\"y z\" :'y z'\n",
       "<set(x)(:'y')><echo(:\"y z\")(:y z)>\n"},
      {"values are read again", "\\set x 1\n\\set y ':x + :y + a[1:x] + z::x'\nselect :y;\n",
       "<set(x)(1)>\n<set(y)(:x + :y + a[1:x] + z::x)>\nselect {1 + :y + a[1:x] + z::x};\n"},
      {"a value that quotes itself", "\\set x ':\\'x\\' :x'\nselect :x;\n",
       "<set(x)(:'x' :x)>\nselect {':''x'' :x' :x};\n"},
      {"a value that is a statement", "\\set x 'select 1;'\n:x\n\\echo a\n",
       "<set(x)(select 1;)>\n{select 1;}\n<echo(a)>\n"},
      {"a value that reads data", "\\set x 'copy t from stdin;'\n:x\n\\echo a\n\\.\n\\echo b\n",
       "<set(x)(copy t from stdin;)>\n{copy t from stdin;}\n\\echo a\n\\.\n<echo(b)>\n"},
      {"restrict lines are text", "\\restrict :x'\\i\n\\echo a\n",
       "\\restrict :x'\\i\n<echo(a)>\n"},
      {"nothing counts behind a command that will be refused",
       "\\set x 1\n\\if :x\nselect ':x\n\\i y\n", "<set(x)(1)>\n\\if :x\nselect ':x\n\\i y\n"},
      {"nor behind one within a statement", "select 1 \\gexec\n\\i y\n",
       "select 1 \\gexec\n\\i y\n"},
      {"a byte order mark", "\xEF\xBB\xBF\\i x\n", "\xEF\xBB\xBF<i(x)>\n"},
  };
  for (const Case& c : cases) {
    for (const std::size_t chunk : {1, 2, 3, 7, 1000}) {
      ChunkedSource source(c.text, {chunk});
      EXPECT_EQ(Scan(source), c.scanned) << c.name << ", in chunks of " << chunk;
    }
  }
}

TEST(PsqlScannerTest, RefusesWhatCannotBeMeantAndSaysWhere) {
  const std::vector<Case> cases = {
      {"within a statement", "select 1\n  \\i x\n",
       "select 1\n  !2:3: \\i stands within a statement: put it before the statement, or end the "
       "statement before it with `;`"},
      {"on the line of COPY", "copy t from stdin; \\echo\n",
       "copy t from stdin; !1:20: \\echo stands on the line of COPY … FROM STDIN: put it below the "
       "data"},
      {"a shell's command", "\\set x `date`\n",
       "!1:1: \\set: `…` runs a command of a shell, and migrations run where there is none: write "
       "the value"},
      {"an open quote", "\n\\echo it's\n",
       "\n!2:1: \\echo: a quote in the arguments of this command is not closed on its line"},
      {"an open string", "select 1, 'a;\n\\i x\n",
       "select 1, !1:11: this string is not closed; close it with the quote that opened it"},
      {"an open comment", "/* a\n", "!1:1: this comment is not closed; close it with */"},
      {"a value that opens a string", "\\set x '''a'\nselect :x;\n",
       "<set(x)('a)>\nselect !2:8: the value of the variable x opens a string or a comment that "
       "does not end within it"},
      {"a value that ends in a comment", "\\set x '1 --'\nselect :x;\n",
       "<set(x)(1 --)>\nselect !2:8: the value of the variable x opens a string or a comment that "
       "does not end within it"},
  };
  for (const Case& c : cases) {
    for (const std::size_t chunk : {1, 2, 3, 7, 1000}) {
      ChunkedSource source(c.text, {chunk});
      EXPECT_EQ(Scan(source), c.scanned) << c.name << ", in chunks of " << chunk;
    }
  }
}

TEST(PsqlScannerTest, RefusesAValueThatGrowsWithoutEnd) {
  std::string text = "\\set a 0123456789\n";
  for (char c = 'b'; c < 'z'; ++c) {
    const std::string before(1, static_cast<char>(c - 1));
    text += std::string("\\set ") + c + " ':" + before + " :" + before + "'\n";
  }
  text += "select :y;";
  StringByteSource source(text);
  EXPECT_NE(Scan(source).find("becomes longer than 1 MiB"), std::string::npos);
}

// Found by fuzzing. What multiplies by the line must not be carried out.
TEST(PsqlScannerTest, RefusesValuesThatMultiply) {
  const auto chain = [](int length, std::string_view colons) {
    std::string text;
    for (int i = 0; i < length; ++i) {
      text += "\\set v" + std::to_string(i) + " '";
      for (const char colon : colons) text += colon + ("v" + std::to_string(i + 1));
      text += "'\n";
    }
    return text + "\\set v" + std::to_string(length) + " ''\nselect :v0;\n";
  };
  std::string doubled = "\\set a x\n";
  for (int i = 0; i < 1000; ++i) doubled += "\\set a :a:a\n";
  const std::pair<std::string, const char*> cases[] = {
      {doubled, "\\set: the values of variables make up more than 1 MiB of its arguments"},
      {chain(20'000, ":"), "the value of the variable v0 holds other variables more than 64 deep"},
      {chain(50, "::"), "the value of the variable v0 holds other variables more than 64 deep"},
  };
  for (const auto& [text, why] : cases) {
    StringByteSource source(text);
    const std::string scanned = Scan(source);
    EXPECT_NE(scanned.find(why), std::string::npos) << scanned.substr(scanned.rfind('!'));
  }
}

TEST(PsqlScannerTest, ReadsALineOfManyCommandsOnce) {
  std::string text;
  while (text.size() < std::size_t{512} << 10) text += "\\echo ";
  StringByteSource source(text);  // Half a minute, if each looked for its end.
  EXPECT_EQ(Scan(source).size(), text.size() / 6 * 6 + 2);
}

TEST(PsqlScannerTest, TellsWhatClosesAText) {
  const std::vector<Case> cases = {
      {"nothing", "", ""},
      {"a whole line", "select 1;\n", ""},
      {"no line end", "select 1;", "\n"},
      {"a comment", "select 1; -- x", "\n"},
      {"no semicolon", "select 1\n", ";\n"},
      {"neither", "select 1", "\n;\n"},
      {"data", "copy t from stdin;\n1\n", "\\.\n"},
      {"data without a line end", "copy t from stdin;\n1", "\n\\.\n"},
      {"a COPY alone", "copy t from stdin", "\n;\n\\.\n"},
      {"two COPYs on a line", "copy t from stdin; copy t from stdin;\n1\n\\.\n2\n", "\\.\n"},
  };
  for (const Case& c : cases) {
    StringByteSource source(c.text);
    EXPECT_EQ(Scan(source), c.scanned.empty() ? c.text : c.text + "$" + c.scanned) << c.name;
  }
}

/// The text without its commands, and closed; nullopt where the scanner refuses it.
std::optional<std::string> Expanded(const std::string& text, std::size_t chunk) {
  PsqlVariables variables = {{"v", "1"}, {"w", "';' :v"}};
  ChunkedSource source(text, {chunk});
  PsqlScanner scanner(source, "", variables);
  std::string expanded;
  while (true) {
    const Result<std::optional<PsqlPiece>> piece = scanner.Next();
    if (!piece) return std::nullopt;
    if (!*piece) return expanded + scanner.Closing();
    if (const auto* part = std::get_if<PsqlText>(&**piece)) expanded += part->text;
    if (const auto* value = std::get_if<PsqlValue>(&**piece)) expanded += value->text;
  }
}

TEST(PsqlScannerTest, SeesTheSameStatementsAndDataAsTheSplitter) {
  const std::vector<std::string> alphabet = {";",
                                             ";",
                                             ";",
                                             "\n",
                                             "\n",
                                             "\n",
                                             " ",
                                             "'",
                                             "''",
                                             "\"",
                                             "E'",
                                             "\\'",
                                             "$$",
                                             "$a$",
                                             "--",
                                             "/*",
                                             "*/",
                                             "-",
                                             "(",
                                             ")",
                                             "[",
                                             "]",
                                             "array[",
                                             ",",
                                             "a",
                                             "é",
                                             "1",
                                             ":v",
                                             ":'v'",
                                             ":\"v\"",
                                             ":w",
                                             ":",
                                             "::",
                                             ":x",
                                             "copy t from stdin;\n",
                                             "copy t from stdin; ",
                                             "copy :v from stdin",
                                             "\\.\n",
                                             "\n\\.\n",
                                             "\\echo x\n",
                                             "\n\\echo x\n",
                                             "\\set x '\\\\' \\\\",
                                             "\\restrict x\n",
                                             "set standard_conforming_strings=off;",
                                             "create function ",
                                             "begin atomic ",
                                             "end",
                                             "select "};
  std::mt19937 random(20'240'301);  // NOLINT: the same texts each time.
  int closed = 0;
  for (int i = 0; i < 5'000 && !::testing::Test::HasFailure(); ++i) {
    std::string text;
    const std::size_t size = random() % 16;
    for (std::size_t k = 0; k < size; ++k) text += alphabet[random() % alphabet.size()];
    SCOPED_TRACE(text);
    const std::optional<std::string> expanded = Expanded(text, 1 + random() % 7);
    EXPECT_EQ(expanded, Expanded(text, 1000));
    if (!expanded) continue;
    // What stands behind it stands for itself.
    const Splitting splitting = Split(*expanded + "select 'end';\n");
    if (!splitting.error.empty()) continue;
    ++closed;
    const auto last = std::find_if(splitting.parts.rbegin(), splitting.parts.rend(),
                                   [](const auto& part) { return part.kind != 'g'; });
    ASSERT_NE(last, splitting.parts.rend()) << *expanded;
    EXPECT_EQ(last->text, "select 'end'") << *expanded;
  }
  EXPECT_GT(closed, 1'000);
}

TEST(PsqlScannerTest, LeavesTextWithoutCommandsAsItIs) {
  for (const SplitCase& c : SplitCorpus()) {
    if (c.dump.find('!') != std::string::npos) continue;  // Open strings are refused.
    StringByteSource source(c.input);
    EXPECT_EQ(Scan(source).substr(0, c.input.size()), c.input) << c.name;
  }
}

}  // namespace
}  // namespace whimbrel::sql
