#include <array>
#include <string>

#include "fuzz/fuzz.h"
#include "whimbrel/base/redact.h"
#include "whimbrel/base/utf8.h"

// Whatever stands in the lines around it, a credential does not get out.
namespace whimbrel::fuzz {
namespace {

constexpr std::string_view kCanary = "H0pp3r";

/// Texts with the canary where a credential has its place.
constexpr std::array<std::string_view, 9> kTraps = {
    "could not parse postgres://app:H0pp3r!@db/app?x=1: bad",
    "host=db password=H0pp3r! user=app",
    "{\"a\":{\"password\":\"H0pp3r!\",\"b\":1}}",
    "password: H0pp3r! is wrong",
    "token=H0pp3r!",
    "ALTER ROLE app WITH ENCRYPTED PASSWORD 'H0pp3r!' VALID UNTIL 'infinity'",
    "ALTER ROLE app PASSWORD $x$H0pp3r!$x$ LOGIN",
    "Authorization: Bearer H0pp3r!",
    "-----BEGIN PRIVATE KEY-----\nH0pp3r!\n-----END PRIVATE KEY-----",
};

}  // namespace

void Try(std::string_view input) {
  if (input.empty() || input.find(kCanary) != std::string_view::npos) return;
  const std::string_view trap = kTraps[static_cast<unsigned char>(input.front()) % kTraps.size()];
  input.remove_prefix(1);
  const std::size_t middle = std::min(input.find('\n'), input.size());
  std::string text(input.substr(0, middle));
  text.append("\n").append(trap).append("\n").append(input.substr(middle));
  const std::string redacted = Redact(text);
  Require(redacted.find(kCanary) == std::string::npos, "no credential gets out",
          text + "\n=>\n" + redacted);
  const std::string cut = TruncateUtf8(input, 64);
  Require(cut.size() <= 64 && IsUtf8(cut), "a cut text is short, and UTF-8", cut);
}

}  // namespace whimbrel::fuzz
