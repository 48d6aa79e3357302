#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "whimbrel/base/error.h"

namespace whimbrel::postgres {

/// A file without a name on any disk, for a library that reads only files (memfd_create). Mode
/// 0600: libpq refuses a key that others may read. Closed by the destructor.
class MemoryFile {
 public:
  static Result<std::shared_ptr<const MemoryFile>> Make(std::string_view bytes);
  explicit MemoryFile(int fd) : fd_(fd) {}
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// Of this process alone.
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace whimbrel::postgres
