#include "migration/normalised_sum.h"

#include <algorithm>

namespace whimbrel::migration {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\v\f\r";

}  // namespace

bool NormalisedSum::IsNormal(std::string_view text) {
  return text.empty() || (kWhiteSpace.find(text.back()) == std::string_view::npos &&
                          text.find("\r\n") == std::string_view::npos);
}

void NormalisedSum::Update(std::string_view text) {
  while (!text.empty()) {
    if (carriage_return_ && text.front() != '\n') sum_.Update("\r");
    const std::size_t line = std::min(text.find('\r'), text.size());
    sum_.Update(text.substr(0, line));
    carriage_return_ = line < text.size();
    text.remove_prefix(std::min(line + 1, text.size()));
  }
}

void NormalisedSum::Feed(std::string_view piece) {
  // npos + 1 is 0: a piece of nothing but white space has no body.
  const std::size_t body = piece.find_last_not_of(kWhiteSpace) + 1;
  Update(piece.substr(0, body));
  // What follows may turn out to be the end of the text, hence the sum as it is here.
  if (body > 0) without_end_ = sum_.Finish();
  Update(piece.substr(body));
}

}  // namespace whimbrel::migration
