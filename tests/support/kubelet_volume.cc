#include "support/kubelet_volume.h"

#include <fstream>
#include <utility>

namespace whimbrel::testing {

namespace fs = std::filesystem;

KubeletVolume::KubeletVolume(fs::path folder, const Keys& keys) : folder_(std::move(folder)) {
  fs::create_directories(folder_);
  Update(keys);
}

void KubeletVolume::Update(const Keys& keys) {
  const fs::path data = folder_ / "..data";
  const fs::path old = fs::is_symlink(data) ? folder_ / fs::read_symlink(data) : fs::path();
  const std::string name = "..2026_11_21_10_12_13." + std::to_string(++version_);
  fs::create_directory(folder_ / name);
  for (const auto& [key, bytes] : keys) {
    std::ofstream(folder_ / name / key, std::ios::binary) << bytes;
    // As a runner sees them: readable by its group, written by nobody.
    fs::permissions(folder_ / name / key, fs::perms(0440));
  }
  fs::create_directory_symlink(name, folder_ / "..data_tmp");
  fs::rename(folder_ / "..data_tmp", data);
  for (const auto& [key, unused] : keys) {
    if (!fs::is_symlink(folder_ / key)) fs::create_symlink("..data/" + key, folder_ / key);
  }
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string key = entry.path().filename();
    if (!key.starts_with("..") && !keys.contains(key)) fs::remove(entry.path());
  }
  if (!old.empty()) fs::remove_all(old);
}

}  // namespace whimbrel::testing
