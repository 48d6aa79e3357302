#include "kube/token_source.h"

#include <utility>

#include "whimbrel/base/log.h"

namespace whimbrel::kube {
namespace {

// client-go keeps a token for a minute and wants ten seconds of leeway.
constexpr std::chrono::seconds kReadAgainAfter{50};

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

TokenSource::TokenSource(Secret fixed, std::string file, ReadFile read_file, const Clock& clock)
    : file_(std::move(file)),
      read_file_(std::move(read_file)),
      clock_(clock),
      token_{.value = std::move(fixed)} {}

Result<BearerToken> TokenSource::Get(std::stop_token /*stop*/) {
  std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.SteadyNow();
  if (file_.empty() || (read_at_ && now - *read_at_ < kReadAgainAfter)) return token_;
  read_at_ = now;
  const Result<std::string> text = read_file_(file_);
  const std::string_view token = text ? Trim(*text) : std::string_view();
  if (token.empty()) {
    log::Warning("kube", "cannot read the token file; going on with the last token",
                 {{"file", file_}, {"error", text ? "the file is empty" : text.error().message}});
  } else if (token != token_.value.Reveal()) {
    token_ = {.value = Secret(std::string(token)), .generation = token_.generation + 1};
  }
  return token_;
}

void TokenSource::Refused(const BearerToken& token) {
  std::lock_guard lock(mutex_);
  if (token.generation == token_.generation) read_at_.reset();
}

}  // namespace whimbrel::kube
