#include <utility>

#include "migration/make_source.h"
#include "migration/source_path.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {
namespace {

class MemoryFile final : public SourceFile {
 public:
  MemoryFile(std::string path, std::string bytes)
      : path_(std::move(path)), bytes_(std::move(bytes)), sha256_(Sha256Hex(bytes_)) {}

  const std::string& path() const override { return path_; }
  std::uint64_t size() const override { return bytes_.size(); }
  const std::string& sha256() const override { return sha256_; }
  Result<std::unique_ptr<ByteSource>> Open() const override {
    return std::make_unique<StringByteSource>(bytes_);
  }
  const std::string* bytes() const override { return &bytes_; }

 private:
  const std::string path_;
  const std::string bytes_;
  const std::string sha256_;
};

}  // namespace

Result<void> MemorySourceBuilder::Add(std::string path, std::string bytes,
                                      std::string_view origin) {
  if (Result<void> valid = CheckPath(path, origin); !valid) return valid;
  if (bytes.size() > kMaxMemoryFileBytes) {
    return Fail(ErrorKind::kInvalidArgument, path + " from " + std::string(origin) + " has " +
                                                 std::to_string(bytes.size()) + " bytes; at most " +
                                                 std::to_string(kMaxMemoryFileBytes) +
                                                 " are allowed: split the file");
  }
  const auto known = entries_.find(path);
  if (known != entries_.end()) {
    const std::string& first = known->second.origin;
    return Fail(
        ErrorKind::kInvalidArgument,
        "the file " + path + " is in " +
            (first == origin ? first + " twice" : first + " and in " + std::string(origin)) +
            ": rename or leave out one of them");
  }
  entries_.emplace(std::move(path), Entry{std::move(bytes), std::string(origin)});
  return {};
}

std::shared_ptr<const Source> MemorySourceBuilder::Build() && {
  std::vector<SourceFilePtr> files;
  files.reserve(entries_.size());
  while (!entries_.empty()) {
    auto entry = entries_.extract(entries_.begin());  // The only way to move a map's key out.
    files.push_back(
        std::make_shared<MemoryFile>(std::move(entry.key()), std::move(entry.mapped().bytes)));
  }
  return MakeSource(std::move(files));
}

}  // namespace whimbrel::migration
