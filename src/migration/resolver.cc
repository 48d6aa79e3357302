#include "whimbrel/migration/resolver.h"

#include <algorithm>
#include <array>
#include <vector>

#include "migration/flyway_resolver.h"
#include "migration/numbered_resolver.h"

namespace whimbrel::migration {
namespace {

struct Candidate {
  const MigrationResolver* resolver;
  MigrationResolver::Match match;

  std::string ToString() const {
    return std::string(migration::ToString(resolver->format())) + " (" + match.reason + ")";
  }
};

/// `a.md, b.txt and 7 more`.
std::string Listed(const std::vector<SourceFilePtr>& files) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(files.size(), kShown); ++i) {
    if (i > 0) text += ", ";
    text += files[i]->path();
  }
  if (files.size() > kShown) text += " and " + std::to_string(files.size() - kShown) + " more";
  return text.empty() ? "no file at all" : text;
}

tl::unexpected<Error> NothingFound(const Source& source, Format wanted) {
  std::string patterns;
  for (const MigrationResolver* resolver : Resolvers()) {
    if (wanted != Format::kAuto && wanted != resolver->format()) continue;
    if (!patterns.empty()) patterns += "; ";
    patterns += resolver->Pattern() + " (" + std::string(ToString(resolver->format())) + ")";
  }
  return Fail(ErrorKind::kInvalidArgument,
              "the source holds no migration. Looked for files called " + patterns + "; found " +
                  Listed(source.files));
}

/// Every format but kAuto has one.
const MigrationResolver* ResolverOf(Format format) {
  return *std::find_if(Resolvers().begin(), Resolvers().end(),
                       [format](const auto* resolver) { return resolver->format() == format; });
}

/// The resolver with most files.
Result<Candidate> Detect(const Source& source) {
  std::vector<Candidate> candidates;
  for (const MigrationResolver* resolver : Resolvers()) {
    MigrationResolver::Match match = resolver->Detect(source);
    if (match.files > 0) candidates.push_back({resolver, std::move(match)});
  }
  if (candidates.empty()) return NothingFound(source, Format::kAuto);
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const Candidate& a, const Candidate& b) { return a.match.files > b.match.files; });
  Candidate& best = candidates.front();
  if (candidates.size() == 1) return std::move(best);
  std::string others;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    others += (i > 1 ? ", " : "") + candidates[i].ToString();
  }
  if (best.match.files == candidates[1].match.files) {
    return Fail(ErrorKind::kInvalidArgument,
                "the format of the source is in doubt: " + best.ToString() + " or " + others +
                    ". Name it in source.format");
  }
  best.match.reason += "; rather than " + others;
  return std::move(best);
}

}  // namespace

std::span<const MigrationResolver* const> Resolvers() {
  static const NumberedResolver numbered;
  static const FlywayResolver flyway;
  static const std::array<const MigrationResolver*, 2> resolvers = {&numbered, &flyway};
  return resolvers;
}

Result<ResolvedMigrations> Resolve(const Source& source, Format format) {
  const Result<Candidate> chosen =
      format == Format::kAuto ? Detect(source) : Candidate{ResolverOf(format), {}};
  if (!chosen) return tl::make_unexpected(chosen.error());
  Result<ResolvedMigrations> resolved = chosen->resolver->Resolve(source);
  if (!resolved) return resolved;
  if (resolved->versioned.empty() && resolved->repeatable.empty()) {
    return NothingFound(source, format);
  }
  resolved->format_reason = chosen->match.reason;
  return resolved;
}

}  // namespace whimbrel::migration
