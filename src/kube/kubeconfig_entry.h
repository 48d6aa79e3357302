#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

[[nodiscard]] tl::unexpected<Error> InvalidKubeconfig(std::string message);

/// A cluster, a user or a context, with the file that defined it.
struct KubeconfigEntry {
  using ReadFile = std::function<Result<std::string>(const std::string& path)>;

  std::string what;  ///< `cluster "a" of /path/config`, for errors.
  std::string folder;
  nlohmann::json values;

  [[nodiscard]] bool Has(const char* key) const;
  /// Empty when it is not there.
  [[nodiscard]] Result<std::string> Text(const char* key) const;
  /// The path that stands at `key`, as the process sees it.
  [[nodiscard]] Result<std::string> Path(const char* key) const;
  /// The bytes in `<key>-data`, else those of the file that `key` names, else none.
  [[nodiscard]] Result<std::string> Bytes(const std::string& key, const ReadFile& read_file) const;
};

}  // namespace whimbrel::kube
