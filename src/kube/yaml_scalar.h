#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace whimbrel::kube {

/// What an unquoted scalar means to kubectl, which reads manifests with sigs.k8s.io/yaml (go-yaml
/// v2, resolve.go) and then decodes the JSON that comes out (sigs.k8s.io/json: whole numbers that
/// fit are int64, others float64):
///
/// | text | value |
/// |---|---|
/// | `y` `yes` `on` `true`, as `x`, `X`, `Xx` or `XX` | true (YAML 1.1); `n` `no` `off` `false`:
/// false | | `~` `null` `Null` `NULL` and nothing | null | | `017` `0o17` `0x0f` `0b1111` `1_5`
/// `+15` | 15: octal, hexadecimal, binary, underscores dropped | | `08` `1e3` `.5` `1.` | a decimal
/// number; whole ones become integers (8, 1000) | | `2026-01-31`, `10:30`, `1.2.3`, `1e999` | the
/// text: neither dates nor base 60, nor what no number can hold |
///
/// nullopt for `.inf` and `.nan`, which JSON cannot say.
[[nodiscard]] std::optional<nlohmann::json> ResolvePlainScalar(std::string_view text);

}  // namespace whimbrel::kube
