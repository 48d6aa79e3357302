#include "whimbrel/migration/source.h"

#include <algorithm>

#include "migration/make_source.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::migration {

const SourceFile* Source::Find(std::string_view path) const {
  const auto found = std::lower_bound(
      files.begin(), files.end(), path,
      [](const SourceFilePtr& file, std::string_view wanted) { return file->path() < wanted; });
  return found != files.end() && (*found)->path() == path ? found->get() : nullptr;
}

std::shared_ptr<const Source> MakeSource(std::vector<SourceFilePtr> files) {
  auto source = std::make_shared<Source>();
  const auto before = [](const SourceFilePtr& a, const SourceFilePtr& b) {
    return a->path() < b->path();
  };
  // From memory they come in order.
  if (!std::is_sorted(files.begin(), files.end(), before)) {
    std::sort(files.begin(), files.end(), before);
  }
  source->files = std::move(files);
  Sha256 digest;
  std::string line;
  for (const SourceFilePtr& file : source->files) {
    line.assign(file->sha256()).append("  ").append(file->path()).append("\n");
    digest.Update(line);
  }
  source->digest = "sha256:" + digest.FinishHex();
  return source;
}

}  // namespace whimbrel::migration
