#include "migration/sort_migrations.h"

#include <algorithm>
#include <string>

namespace whimbrel::migration {
namespace {

bool VersionBefore(const ResolvedMigration& a, const ResolvedMigration& b) {
  return a.version < b.version;
}

/// UTF-8 sorts by code point. UTF-16 does too, except that what lies above U+FFFF (a lead byte of
/// 0xF0 and more) is written with surrogates, which come before U+E000 to U+FFFF (0xEE and 0xEF).
bool Utf16Before(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (in_a == a.end() || in_b == b.end()) return in_a == a.end() && in_b != b.end();
  const auto byte_a = static_cast<unsigned char>(*in_a);
  const auto byte_b = static_cast<unsigned char>(*in_b);
  const bool one_is_above = (byte_a >= 0xF0) != (byte_b >= 0xF0);
  if (one_is_above && byte_a >= 0xEE && byte_b >= 0xEE) return byte_a >= 0xF0;
  return byte_a < byte_b;
}

bool DescriptionBefore(const ResolvedMigration& a, const ResolvedMigration& b) {
  return Utf16Before(a.description, b.description);
}

template <class Before>
void Sort(std::vector<ResolvedMigration>& migrations, Before before) {
  if (std::is_sorted(migrations.begin(), migrations.end(), before)) return;
  // The values are large: sort where they are, then move each of them once.
  std::vector<ResolvedMigration*> order;
  order.reserve(migrations.size());
  for (ResolvedMigration& migration : migrations) order.push_back(&migration);
  std::stable_sort(order.begin(), order.end(),
                   [before](const auto* a, const auto* b) { return before(*a, *b); });
  std::vector<ResolvedMigration> sorted;
  sorted.reserve(migrations.size());
  for (ResolvedMigration* migration : order) sorted.push_back(std::move(*migration));
  migrations = std::move(sorted);
}

template <class Before>
Result<void> SortUnique(std::vector<ResolvedMigration>& migrations, Before before,
                        std::string_view what) {
  Sort(migrations, before);
  const auto first =
      std::adjacent_find(migrations.begin(), migrations.end(),
                         [before](const auto& a, const auto& b) { return !before(a, b); });
  if (first == migrations.end()) return {};
  const ResolvedMigration& second = *std::next(first);
  return Fail(ErrorKind::kInvalidArgument,
              first->path + " and " + second.path + " have the same " + std::string(what) + " (" +
                  second.Label() +
                  "): each migration needs its own, so rename or remove one of them");
}

}  // namespace

Result<void> SortByVersion(std::vector<ResolvedMigration>& migrations) {
  return SortUnique(migrations, VersionBefore, "version");
}

Result<void> SortByDescription(std::vector<ResolvedMigration>& migrations) {
  return SortUnique(migrations, DescriptionBefore, "description");
}

}  // namespace whimbrel::migration
