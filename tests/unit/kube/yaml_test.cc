#include "whimbrel/kube/yaml.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace whimbrel::kube {
namespace {

using nlohmann::json;

/// The only document of `text`; the error's text when there is none.
json Parse(const std::string& text) {
  const auto documents = ParseYaml(text, "test.yaml");
  if (!documents) return json("error: " + documents.error().ToString());
  if (documents->size() != 1) return json("documents: " + std::to_string(documents->size()));
  return *documents->front().value;
}

std::string ErrorOf(const std::string& text) {
  const auto documents = ParseYaml(text, "test.yaml");
  return documents ? "no error" : documents.error().ToString();
}

struct ValueCase {
  std::string name;
  std::string text;
  std::string expected;  ///< JSON.
};

// Every expected value is the answer of sigs.k8s.io/yaml v1.6.0 (YAMLToJSON) to the same text.
const ValueCase kValues[] = {
    {"yes is true", "[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]",
     "[true,true,true,true,true,true,true,true,true,true,true]"},
    {"no is false", "[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]",
     "[false,false,false,false,false,false,false,false,false,false,false]"},
    {"odd cases of boolean words are text", "[yEs, oN, tRUE, nO]", R"(["yEs","oN","tRUE","nO"])"},
    {"null words are null", "[~, null, Null, NULL]", "[null,null,null,null]"},
    {"nothing is null", "", "null"},
    {"an odd case of null is text", "nULL", R"("nULL")"},
    {"a leading zero makes an octal number", "[017, 0o17, 0O17, -017]", "[15,15,15,-15]"},
    {"digits that are not octal make a decimal number", "[08, 019, 0o8]", R"([8,19,"0o8"])"},
    {"hexadecimal and binary", "[0x1F, -0xf, 0b101, -0b11, 0XA, 0B1]", "[31,-15,5,-3,10,1]"},
    {"underscores are dropped from numbers", "[1_000, 1_0.5, 0x_f, _1]", R"([1000,10.5,15,"_1"])"},
    {"signs", "[+5, -5, +-5, -, +]", R"([5,-5,"+-5","-","+"])"},
    {"whole floats become integers", "[1e3, 1., 2.0, -0.0]", "[1000,1,2,0]"},
    {"fractions", "[.5, -.5, 1.25, 1.5e-3]", "[0.5,-0.5,1.25,0.0015]"},
    {"the largest and smallest integers", "[9223372036854775807, -9223372036854775808]",
     "[9223372036854775807,-9223372036854775808]"},
    {"integers beyond int64 are floats for the API server", "[9223372036854775808, 1e30]",
     "[9223372036854775808.0,1e30]"},
    {"what no float can hold is text", "[1e999, .1e999]", R"(["1e999",".1e999"])"},
    {"dates and times are text", "[2026-01-31, 2026-01-31T10:00:00Z, 10:30]",
     R"(["2026-01-31","2026-01-31T10:00:00Z","10:30"])"},
    {"versions and addresses are text", "[1.2.3, 10.0.0.1, 5432/tcp, 1e, e1, 0x]",
     R"(["1.2.3","10.0.0.1","5432/tcp","1e","e1","0x"])"},
    {"quoted scalars are strings", R"(["yes", '017', "", '~', "1.5"])",
     R"(["yes","017","","~","1.5"])"},
    {"!!str makes a string", "!!str 017", R"("017")"},
    {"escapes", R"("a\tb\u00e9\x41\/")", R"("a\tbéA/")"},
    {"a literal block keeps its lines", "|\n  a\n   b\n\n  c\n", R"("a\n b\n\nc\n")"},
    {"a literal block may drop its last line end", "|-\n  a\n  b\n\n", R"("a\nb")"},
    {"a literal block may keep all line ends", "|+\n  a\n\n", R"("a\n\n")"},
    {"a literal block is never typed", "|-\n  yes", R"("yes")"},
    {"a folded block joins its lines", ">\n  a\n  b\n\n  c\n", R"("a b\nc\n")"},
    {"CR LF inside a block is LF", "|\r\n  a\r\n  b\r\n", R"("a\nb\n")"},
    {"comments end where the value ends", "a # b", R"("a")"},
    {"a hash without a space before it is text", "a#b", R"("a#b")"},
};

TEST(Yaml, ValuesAreReadAsKubectlReadsThem) {
  for (const ValueCase& c : kValues) {
    EXPECT_EQ(Parse("v: " + c.text), json({{"v", json::parse(c.expected)}})) << c.name;
  }
}

TEST(Yaml, KeysThatAreNumbersOrBooleansBecomeStrings) {
  EXPECT_EQ(Parse("{1: a, yes: b, 010: c, '~': d}"),
            json::parse(R"({"1":"a","true":"b","8":"c","~":"d"})"));
}

TEST(Yaml, AnchorsAreCopiedAndMergeKeysMerged) {
  EXPECT_EQ(Parse("base: &b {x: 1, z: 2}\none: *b\ntwo:\n  <<: *b\n  x: 9\n"),
            json::parse(R"({"base":{"x":1,"z":2},"one":{"x":1,"z":2},"two":{"x":9,"z":2}})"));
}

TEST(Yaml, TheFirstOfSeveralMergedMapsWins) {
  EXPECT_EQ(Parse("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nm: {<<: [*a, *b]}\n")["m"],
            json::parse(R"({"x":1,"z":3})"));
}

TEST(Yaml, AMergeThatComesAfterAKeyWinsAsInGoYaml) {
  EXPECT_EQ(Parse("a: &a {x: 1}\nm: {x: 9, <<: *a}\n")["m"], json::parse(R"({"x":1})"));
}

TEST(Yaml, AQuotedMergeKeyIsAKey) {
  EXPECT_EQ(Parse("\"<<\": {a: 1}"), json::parse(R"({"<<":{"a":1}})"));
}

TEST(Yaml, AFileOfSeveralDocumentsKeepsTheLineOfEach) {
  const auto documents = ParseYaml("# head\na: 1\n---\n# two\nb: 2\n--- # three\n- c\n", "f.yaml");
  ASSERT_TRUE(documents) << documents.error().ToString();
  ASSERT_EQ(documents->size(), 3u);
  EXPECT_EQ(*(*documents)[0].value, json::parse(R"({"a":1})"));
  EXPECT_EQ((*documents)[0].line, 2u);
  EXPECT_EQ(*(*documents)[1].value, json::parse(R"({"b":2})"));
  EXPECT_EQ((*documents)[1].line, 5u);
  EXPECT_EQ(*(*documents)[2].value, json::parse(R"(["c"])"));
  EXPECT_EQ((*documents)[2].line, 7u);
}

TEST(Yaml, EmptyDocumentsAreNullAndAFileOfCommentsHasNone) {
  const auto documents = ParseYaml("a: 1\n---\n---\nb: 2\n", "f.yaml");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 3u);
  EXPECT_TRUE((*documents)[1].value->is_null());
  EXPECT_EQ(ParseYaml("# nothing\n", "f.yaml")->size(), 0u);
  EXPECT_EQ(ParseYaml("", "f.yaml")->size(), 0u);
}

TEST(Yaml, JsonIsReadAsItIs) {
  const std::string text =
      "{\n\t\"a\": [1, 2.5, true, null, \"\\u003cx\\u003e\"],\n\t\"b\": {}\n}\n";
  EXPECT_EQ(Parse(text), json::parse(text));
}

TEST(Yaml, AByteOrderMarkIsSkipped) {
  EXPECT_EQ(Parse("\xEF\xBB\xBF"
                  "a: 1"),
            json::parse(R"({"a":1})"));
}

struct ErrorCase {
  std::string name;
  std::string text;
  std::string expected;
};

const ErrorCase kErrors[] = {
    {"a key twice", "a: 1\nb: 2\na: 3\n",
     "3:1: not valid YAML: key \"a\" is there twice in the same map"},
    {"a key twice in two spellings", "yes: 1\ntrue: 2\n",
     "2:1: not valid YAML: key \"true\" is there twice in the same map"},
    {"a null key", "~: 1\n",
     "1:1: not valid YAML: a key may not be null; put it in quotes if the word is meant"},
    {"a fraction as key", "1.5: 1\n",
     "1:1: not valid YAML: key `1.5` is not a string; put it in quotes"},
    {"a list as key", "[a]: 1\n",
     "1:1: not valid YAML: a key must be a string, not a map or a list"},
    {"infinity", "a: .inf\n",
     "1:4: not valid YAML: `.inf` is a number that JSON does not have; put it in quotes "
     "if the text is meant"},
    {"a tag", "a: !!binary aGk=\n",
     "1:4: not valid YAML: tag !!binary is not supported; remove it (quotes make a text "
     "a string)"},
    {"a local tag", "a: !Ref x\n",
     "1:4: not valid YAML: tag !Ref is not supported; remove it (quotes make a text a string)"},
    {"a list that holds itself", "a: &a [1, *a]\n",
     "1:11: not valid YAML: an alias stands inside of what it refers to"},
    {"a merge of a scalar", "a:\n  <<: 5\n",
     "2:7: not valid YAML: `<<` needs a map, or a list of maps, to merge"},
    {"a merge of a list of scalars", "a:\n  <<: [5]\n",
     "2:7: not valid YAML: `<<` needs a map, or a list of maps, to merge"},
    {"a NUL byte", std::string("a: b\nc: \0d\n", 11),
     "2:4: not valid YAML: a control character, which YAML does not allow in plain text"},
    {"a U+0004, which yaml-cpp takes for the end", "a: b\x04\nc: d\n",
     "1:5: not valid YAML: a control character, which YAML does not allow in plain text"},
    {"columns count characters, not bytes", "é: ü\xff\n",
     "1:5: not valid YAML: bytes that are not UTF-8; save the file as UTF-8"},
    {"an escape that yaml-cpp gets wrong", "a: \"x\\_y\"\n",
     "1:4: not valid YAML: the escapes \\_ and \\N are not supported; write \\u00a0 and \\u0085"},
    {"UTF-16",
     std::string("\xff\xfe"
                 "a\0",
                 4),
     "1:1: not valid YAML: bytes that are not UTF-8; save the file as UTF-8"},
    {"an unclosed list", "a: [1, 2\nb: 3\n", "2:2: not valid YAML: end of sequence flow not found"},
    {"a tab that indents", "a:\n\tb: 1\n",
     "2:3: not valid YAML: illegal map value (this line is indented with a tab; use spaces)"},
    {"an alias to nothing", "a: *x\n", "1:4: not valid YAML: the referenced anchor is not defined"},
    {"an error in a later document", "a: 1\n---\nb: [\n",
     "4:1: not valid YAML: end of sequence flow not found"},
};

TEST(Yaml, ErrorsNameFileLineColumnAndRule) {
  for (const ErrorCase& c : kErrors) {
    EXPECT_EQ(ErrorOf(c.text), "test.yaml:" + c.expected) << c.name;
  }
}

TEST(Yaml, AnAliasBombIsRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += alias + (j < 9 ? "," : "]\n");
  }
  EXPECT_NE(ErrorOf(text).find("more than 100000 values"), std::string::npos) << ErrorOf(text);
}

TEST(Yaml, NestingIsBoundedAlsoThroughAliases) {
  const auto nest = [](const std::string& inner, int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') + inner +
           std::string(static_cast<std::size_t>(levels), ']');
  };
  EXPECT_TRUE(ParseYaml(nest("1", 64), "f"));
  EXPECT_NE(ErrorOf(nest("1", 65)).find("nested more than 64 levels"), std::string::npos);
  EXPECT_NE(ErrorOf(nest("1", 20'000)).find("nested more than 64 levels"), std::string::npos);
  const std::string chained = "a: &a " + nest("1", 40) + "\nb: " + nest("*a", 40) + "\n";
  EXPECT_NE(ErrorOf(chained).find("nested more than 64 levels deep, aliases"), std::string::npos)
      << ErrorOf(chained);
}

TEST(Yaml, AFileThatIsTooLargeIsRefused) {
  EXPECT_EQ(ErrorOf(std::string(kMaxYamlBytes + 1, ' ')),
            "test.yaml: larger than 16 MiB; split it into several files");
}

}  // namespace
}  // namespace whimbrel::kube
