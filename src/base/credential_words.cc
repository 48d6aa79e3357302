#include "base/credential_words.h"

#include <algorithm>
#include <array>
#include <string>

#include "whimbrel/base/ascii.h"

namespace whimbrel {
namespace {

// A leading underscore asks for a whole word: "bypass" is none.
constexpr std::array<std::string_view, 5> kPasswordWords = {"password", "passwd", "passphrase",
                                                            "_pwd", "_pass"};
constexpr std::array<std::string_view, 13> kCredentialWords = {
    "secret",        "token",           "apikey",       "api_key",    "accesskey",
    "access_key",    "privatekey",      "private_key",  "credential", "credentials",
    "clientkeydata", "client_key_data", "authorization"};
constexpr std::size_t kLongestWord = 16;

/// The end of a key in lower case, with underscores as its only separators.
std::string Normalized(std::string_view key) {
  std::string text = key.size() < kLongestWord ? "_" : "";
  text += key.substr(key.size() - std::min(key.size(), kLongestWord));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c == '-' || c == '.' ? '_' : ToLower(c); });
  return text;
}

template <std::size_t N>
bool EndsWithOneOf(const std::string& text, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.ends_with(word); });
}

}  // namespace

bool NamesPassword(std::string_view key) { return EndsWithOneOf(Normalized(key), kPasswordWords); }

bool NamesCredential(std::string_view key) {
  const std::string text = Normalized(key);
  return EndsWithOneOf(text, kPasswordWords) || EndsWithOneOf(text, kCredentialWords);
}

}  // namespace whimbrel
