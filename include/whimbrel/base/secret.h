#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace whimbrel {

/// A string that must not be shown. It has no formatter, no stream operator and no conversion to
/// std::string, so that printing one does not compile; whoever needs the bytes says Reveal().
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  /// The bytes; valid as long as this object. Never pass them to a log, an error or a status.
  [[nodiscard]] std::string_view Reveal() const { return value_; }
  [[nodiscard]] bool empty() const { return value_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

/// A Secret's keys and values, as Kubernetes mounts or returns them, decoded.
using SecretMap = std::map<std::string, Secret, std::less<>>;

}  // namespace whimbrel
