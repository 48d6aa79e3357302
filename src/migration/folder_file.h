#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "whimbrel/base/error.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// What the system has just said about a path (errno): "cannot <verb> <path>: …".
[[nodiscard]] tl::unexpected<Error> FailedTo(std::string_view verb, const std::string& path);

/// Looks at the files of one folder for the first time: hashes them, and keeps the bytes of small
/// ones, so that nobody need open thousands of files again only to find their sections and sums.
/// Several threads may share it.
class FolderReader {
 public:
  /// `root` is the folder that the files' paths begin in, without a slash at its end; `descriptor`
  /// is that folder, open for as long as this lives.
  FolderReader(std::string root, int descriptor)
      : root_(std::make_shared<const std::string>(std::move(root))), descriptor_(descriptor) {}

  [[nodiscard]] Result<SourceFilePtr> Read(std::string path);

 private:
  /// Of all files together: more than thousands of usual migrations have, a quarter of what a run
  /// may take (design §7).
  static constexpr std::int64_t kKeptBytes = std::int64_t{8} << 20;

  const std::shared_ptr<const std::string> root_;
  const int descriptor_;
  std::atomic<std::int64_t> room_{kKeptBytes};
};

}  // namespace whimbrel::migration
