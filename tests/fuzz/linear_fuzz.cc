#include <ctime>
#include <string>

#include "fuzz/fuzz.h"
#include "unit/migration/sources.h"
#include "unit/sql/splitting.h"
#include "whimbrel/base/redact.h"
#include "whimbrel/migration/resolver.h"
#include "whimbrel/sql/directives.h"

// The input many times over takes time in proportion to its length: a quarter of a megabyte, which
// takes a tenth of the bound with sanitizers, and a multiple of it where the work is quadratic.
namespace whimbrel::fuzz {
namespace {

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class Function>
void RequireLinear(std::string_view what, const Function& function) {
  constexpr double kBound = 2;
  const double start = CpuSeconds();
  function();
  Require(CpuSeconds() - start < kBound, "the time is linear", what);
}

}  // namespace

void Try(std::string_view input) {
  constexpr std::size_t kSize = std::size_t{1} << 18;
  if (input.empty()) return;
  std::string text;
  while (text.size() < kSize) text += input;
  RequireLinear("splitter", [&text] { (void)sql::Split(text); });
  RequireLinear("splitter, chunks", [&text] {
    sql::ChunkedSource source(text, {1000});
    (void)sql::Split(source);
  });
  const auto source = migration::InMemory({{.path = "1_a.sql", .text = text}});
  RequireLinear("Numbered",
                [&source] { (void)migration::Resolve(*source, migration::Format::kNumbered); });
  RequireLinear("ParseDirectives", [&text] { (void)sql::ParseDirectives(text, {}, true); });
  RequireLinear("Classify", [&text] { (void)sql::Classify(text); });
  RequireLinear("Redact", [&text] { (void)Redact(text); });
}

}  // namespace whimbrel::fuzz
