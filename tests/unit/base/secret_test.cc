#include "whimbrel/base/secret.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <gtest/gtest.h>
#include <spdlog/fmt/ostr.h>

#include <concepts>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>

#include "whimbrel/base/log.h"

namespace whimbrel {
namespace {

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
template <class T>
concept Formattable = fmt::is_formattable<T>::value;
template <class T>
concept Concatenable = requires(std::string text, const T& value) {
  text += value;
};

// The concepts can tell: a string is all that a Secret must not be.
static_assert(Streamable<std::string> && Formattable<std::string> && Concatenable<std::string>);
static_assert(!Streamable<Secret>, "a stream would show it");
static_assert(!Formattable<Secret>, "fmt and spdlog would show it");
static_assert(!Concatenable<Secret>, "a message built from it would show it");
static_assert(!std::convertible_to<Secret, std::string>);
static_assert(!std::convertible_to<Secret, std::string_view>);
static_assert(!std::convertible_to<std::string, Secret>,
              "becoming a secret is said, not slipped into");
static_assert(!std::constructible_from<log::Field, std::string_view, Secret>,
              "a log field would show it");
static_assert(!std::constructible_from<nlohmann::json, Secret>, "a status would show it");

TEST(SecretTest, RevealsItsBytesOnlyWhenAsked) {
  const Secret secret(std::string("p\0w", 3));
  EXPECT_EQ(secret.Reveal(), std::string_view("p\0w", 3));
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(Secret().empty());
}

TEST(SecretTest, IsComparedByItsBytes) {
  EXPECT_TRUE(Secret("a") == Secret("a"));
  EXPECT_FALSE(Secret("a") == Secret("b"));
}

TEST(SecretTest, AMapOfThemIsSearchedWithoutMakingAString) {
  SecretMap map;
  map.emplace("password", Secret("x"));
  const auto found = map.find(std::string_view("password"));
  ASSERT_NE(found, map.end());
  EXPECT_EQ(found->second.Reveal(), "x");
}

}  // namespace
}  // namespace whimbrel
