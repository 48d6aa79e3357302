#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace whimbrel::testing {

/// A new folder under the system's temporary folder, removed with everything in it when this goes
/// out of scope. Throws std::runtime_error when it cannot be made: GoogleTest turns that into a
/// failure.
class TempDir {
 public:
  explicit TempDir(std::string_view prefix = "whimbrel-test");
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

  /// Writes a file (folders on the way are made) and returns its path.
  std::filesystem::path Write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

/// The content of a file; empty where there is none.
[[nodiscard]] std::string ReadFile(const std::filesystem::path& path);

}  // namespace whimbrel::testing
