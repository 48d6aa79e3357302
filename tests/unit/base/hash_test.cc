#include "whimbrel/base/hash.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace whimbrel {
namespace {

constexpr const char* kEmptySha =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbcSha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

// The examples of FIPS 180-4 (NIST, "Cryptographic Standards and Guidelines: Example Values").
TEST(Sha256Test, AgreesWithTheExamplesOfTheStandard) {
  EXPECT_EQ(Sha256Hex(""), kEmptySha);
  EXPECT_EQ(Sha256Hex("abc"), kAbcSha);
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256Hex(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256Test, PiecesMakeTheDigestOfTheWhole) {
  Sha256 hash;
  hash.Update("a").Update("").Update(std::string_view()).Update("bc");
  EXPECT_EQ(hash.FinishHex(), kAbcSha);
}

TEST(Sha256Test, FeedingGoesOnAfterADigestWasTaken) {
  Sha256 hash;
  EXPECT_EQ(hash.FinishHex(), kEmptySha);
  hash.Update("ab");
  EXPECT_EQ(hash.FinishHex(), Sha256Hex("ab"));
  hash.Update("c");
  EXPECT_EQ(hash.FinishHex(), kAbcSha);
  EXPECT_EQ(hash.FinishHex(), kAbcSha);
}

TEST(Sha256Test, MovesWithWhatItWasFed) {
  Sha256 first;
  first.Update("ab");
  Sha256 second = std::move(first);
  second.Update("c");
  Sha256 third;
  third = std::move(second);
  EXPECT_EQ(third.FinishHex(), kAbcSha);
  EXPECT_EQ(ToHex(third.Finish()), kAbcSha);
}

TEST(Crc32Test, AgreesWithZlibAndFlyway) {
  EXPECT_EQ(Crc32(""), 0U);
  EXPECT_EQ(Crc32("123456789"), 0xCBF43926U);  // The check value of CRC-32/ISO-HDLC.
  EXPECT_EQ(Crc32("SELECT 1;"), 78787420U);
}

TEST(Crc32Test, ContinuesFromAnEarlierValue) {
  EXPECT_EQ(Crc32("1;", Crc32("SELECT ")), 78787420U);
  EXPECT_EQ(Crc32("", 78787420U), 78787420U);
  EXPECT_EQ(Crc32(std::string_view(), 78787420U), 78787420U);
}

// RFC 4648 §10.
TEST(Base64Test, AgreesWithTheVectorsOfTheStandard) {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xff\xfe\xfb", "//77"},
  };
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    std::string decoded = "left over";
    EXPECT_TRUE(Base64Decode(text, &decoded)) << text;
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Base64Test, EveryByteSurvives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    std::string decoded;
    ASSERT_TRUE(Base64Decode(Base64Encode(bytes.substr(0, length)), &decoded));
    ASSERT_EQ(decoded, bytes.substr(0, length));
  }
}

TEST(Base64Test, RefusesAnythingElseAndLeavesTheTargetAlone) {
  const std::string_view texts[] = {
      "Zg",       "Zg=",  "Z===",     "====", "=",    "Zm9v\n", "Zm9\nv",     "Zm9v Zm9v",
      "Zg==Zg==", "Zm=v", "Zm9vYg=A", "__79", "Zh==", "Zm9=",   "\xc3\xa4==", "Zm9v====",
  };
  for (const std::string_view text : texts) {
    std::string decoded = "untouched";
    EXPECT_FALSE(Base64Decode(text, &decoded)) << text;
    EXPECT_EQ(decoded, "untouched") << text;
  }
}

TEST(UuidTest, HasVersionAndVariantAndIsNeverTheSame) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string uuid = NewUuid();
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    EXPECT_TRUE(seen.insert(uuid).second) << uuid;
  }
}

}  // namespace
}  // namespace whimbrel
