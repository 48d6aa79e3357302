#include "whimbrel/migration/resolved_migration.h"

#include <algorithm>
#include <array>
#include <utility>

namespace whimbrel::migration {
namespace {

constexpr std::array<std::pair<Format, std::string_view>, 3> kFormats = {{
    {Format::kAuto, "Auto"},
    {Format::kNumbered, "Numbered"},
    {Format::kFlyway, "Flyway"},
}};

/// The bytes from `begin` to `end` of another stream, which it owns.
class RangeByteSource final : public ByteSource {
 public:
  RangeByteSource(std::unique_ptr<ByteSource> file, const Script& script)
      : file_(std::move(file)),
        path_(script.file->path()),
        skip_(script.begin),
        left_(script.end - script.begin) {}

  Result<std::string_view> Read() override {
    while (left_ > 0) {
      Result<std::string_view> piece = file_->Read();
      if (!piece) return piece;
      if (piece->empty()) {
        return Fail(ErrorKind::kSourceChanged, path_ + " has become shorter while it was read");
      }
      const std::uint64_t skipped = std::min<std::uint64_t>(skip_, piece->size());
      piece->remove_prefix(skipped);
      skip_ -= skipped;
      *piece = piece->substr(0, left_);
      left_ -= piece->size();
      if (!piece->empty()) return piece;
    }
    return std::string_view();
  }

 private:
  const std::unique_ptr<ByteSource> file_;
  const std::string path_;
  std::uint64_t skip_;
  std::uint64_t left_;
};

}  // namespace

std::string_view ToString(Format format) {
  for (const auto& [value, name] : kFormats) {
    if (value == format) return name;
  }
  return "";
}

std::optional<Format> ParseFormat(std::string_view text) {
  for (const auto& [value, name] : kFormats) {
    if (name == text) return value;
  }
  return std::nullopt;
}

Result<std::unique_ptr<ByteSource>> Script::Open() const {
  Result<std::unique_ptr<ByteSource>> whole = file->Open();
  if (!whole) return whole;
  return std::make_unique<RangeByteSource>(*std::move(whole), *this);
}

std::string ResolvedMigration::Label() const {
  return kind == Kind::kRepeatable ? "R " + description : version.display();
}

}  // namespace whimbrel::migration
