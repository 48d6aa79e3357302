#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/error.h"

namespace whimbrel::kube {

/// Room for several full ConfigMaps (1 MiB each) in one file.
inline constexpr std::size_t kMaxYamlBytes = std::size_t{16} << 20;

/// One document of a YAML file.
struct YamlDocument {
  std::unique_ptr<nlohmann::json> value;  ///< Never nullptr; JSON null for an empty document.
  std::uint32_t line = 1;                 ///< Of its first value, 1-based.
};

/// Reads YAML, and JSON as its subset, as kubectl does (sigs.k8s.io/yaml, go-yaml v2): unquoted
/// `yes` and `on` are true, `017` is 15, dates are text (the table: src/kube/yaml_scalar.h); keys
/// that are whole numbers or booleans become strings; `<<` is merged, and what comes later in the
/// text wins.
///
/// Stricter than kubectl where it would guess: duplicate keys (it takes the last), tags other than
/// `!!str`, `!!map` and `!!seq`, and keys that are fractions are errors. Blank lines at the end of
/// `>+` blocks and of quoted texts may be fewer than in kubectl (yaml-cpp 0.7); `|` blocks are
/// exact. Bounded against hostile input: kMaxYamlBytes, 64 levels and 100,000 values per file,
/// aliases counted as often as they are used (reference/controller.md §17). Errors are
/// kInvalidArgument with file, line and column, and never quote a value. Thread-safe.
[[nodiscard]] Result<std::vector<YamlDocument>> ParseYaml(std::string_view text,
                                                          const std::string& file);

}  // namespace whimbrel::kube
