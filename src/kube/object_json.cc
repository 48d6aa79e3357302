#include "kube/object_json.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace whimbrel::kube {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 128;

tl::unexpected<ApiError> Malformed(std::string message) {
  return tl::make_unexpected(
      ApiError{.reason = ApiErrorReason::kMalformed, .message = std::move(message)});
}

// The callback of nlohmann's parser: false drops the value that the key names. `base` is the depth
// of the object's own keys: 1, or 2 inside a watch event.
class Pruner {
 public:
  explicit Pruner(int base) : base_(base) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth >= kMaxDepth) too_deep_ = true;
    if (too_deep_) return false;
    if (event != Json::parse_event_t::key) return true;
    const int level = depth - base_;
    if (level < 0 || level > 2) return true;
    const auto& key = parsed.get_ref<const std::string&>();
    switch (level) {
      case 0:
        in_metadata_ = key == "metadata";
        return true;
      case 1:
        in_annotations_ = in_metadata_ && key == "annotations";
        return !(in_metadata_ && key == "managedFields");
      default:
        return !(in_annotations_ && key == "kubectl.kubernetes.io/last-applied-configuration");
    }
  }

  [[nodiscard]] bool too_deep() const { return too_deep_; }

 private:
  const int base_;
  bool in_metadata_ = false;
  bool in_annotations_ = false;
  bool too_deep_ = false;
};

ApiResult<Json> Parse(std::string_view text, int base) {
  Pruner pruner(base);
  Json value = Json::parse(text, std::ref(pruner), /*allow_exceptions=*/false);
  if (pruner.too_deep()) return Malformed("the API server sent JSON that nests too deeply");
  if (!value.is_object()) return Malformed("the API server sent something that is no JSON object");
  return value;
}

}  // namespace

ApiResult<Json> ParseObject(std::string_view text) { return Parse(text, 1); }

ApiResult<WatchLine> ParseWatchLine(std::string_view text) {
  ApiResult<Json> event = Parse(text, 2);
  if (!event) return tl::make_unexpected(std::move(event.error()));
  const auto type = event->find("type");
  const auto object = event->find("object");
  if (type == event->end() || !type->is_string() || object == event->end() ||
      !object->is_object()) {
    return Malformed("the API server sent a watch event without a type or an object");
  }
  return WatchLine{.type = type->get<std::string>(),
                   .object = std::make_unique<Json>(std::move(*object))};
}

std::string Serialize(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string StringAt(const Json& object, std::string_view outer, std::string_view inner) {
  if (!object.is_object()) return {};
  const auto first = object.find(outer);
  if (first == object.end() || !first->is_object()) return {};
  const auto second = first->find(inner);
  if (second == first->end() || !second->is_string()) return {};
  return second->get<std::string>();
}

}  // namespace whimbrel::kube
