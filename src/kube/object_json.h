#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "whimbrel/kube/api_error.h"

namespace whimbrel::kube {

/// The largest text of one object, one line of a watch, or one answer that we take.
constexpr std::size_t kMaxObjectBytes = std::size_t{16} << 20;

/// Reads an object that the API server sent, without `metadata.managedFields` and without kubectl's
/// last-applied annotation: a copy of the whole object, even in a list of metadata. Both are
/// dropped while parsing. kMalformed for what is no JSON object or nests deeper than 128 (copying a
/// json value recurses).
[[nodiscard]] ApiResult<nlohmann::json> ParseObject(std::string_view text);

/// One line of a watch: `{"type": …, "object": …}`; the object is read as ParseObject does.
struct WatchLine {
  std::string type;
  std::unique_ptr<nlohmann::json> object;
};
[[nodiscard]] ApiResult<WatchLine> ParseWatchLine(std::string_view text);

/// The text of a request. Invalid UTF-8 is replaced: an error message of PostgreSQL may be in any
/// encoding.
[[nodiscard]] std::string Serialize(const nlohmann::json& object);

/// A string at `object[outer][inner]`, empty when there is none.
[[nodiscard]] std::string StringAt(const nlohmann::json& object, std::string_view outer,
                                   std::string_view inner);

}  // namespace whimbrel::kube
