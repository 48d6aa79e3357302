#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace whimbrel::testing {

/// A ConfigMap, Secret or downward API volume as the kubelet lays it out
/// (kubernetes/pkg/volume/util/atomic_writer.go): each version in a folder of its own, `..data`
/// that links to the one of now, and a link through it for each key. Failures throw
/// std::filesystem::filesystem_error.
class KubeletVolume {
 public:
  using Keys = std::map<std::string, std::string>;

  /// The folder is made; without keys it is that of an optional object that does not exist.
  explicit KubeletVolume(std::filesystem::path folder, const Keys& keys = {});

  /// Another version of the object, in the kubelet's order: write, swap the link, remove the old.
  void Update(const Keys& keys);

  [[nodiscard]] const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path folder_;
  int version_ = 0;
};

}  // namespace whimbrel::testing
