#include "kube/yaml_builder.h"

#include <algorithm>
#include <string_view>

#include "kube/yaml_scalar.h"
#include "whimbrel/base/utf8.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;

constexpr std::string_view kYamlTags = "tag:yaml.org,2002:";

/// yaml-cpp's words for "no tag": nothing, `?` (a plain scalar or a collection), `!` (a quoted
/// one).
bool IsUntagged(const std::string& tag) { return tag.empty() || tag == "?" || tag == "!"; }

std::string TagProblem(const std::string& tag) {
  std::string shown = tag;
  if (shown.starts_with(kYamlTags)) shown.replace(0, kYamlTags.size(), "!!");
  return "tag " + shown + " is not supported; remove it (quotes make a text a string)";
}

/// The JSON key that sigs.k8s.io/yaml makes of a key that is not a string; nullopt where it has
/// none, or one (1e+06 for 1000000.5's kin) that nobody could have meant.
std::optional<std::string> KeyText(const json& key) {
  if (key.is_string()) return key.get<std::string>();
  if (key.is_boolean()) return key.get<bool>() ? "true" : "false";
  if (key.is_number_integer()) return std::to_string(key.get<std::int64_t>());
  return std::nullopt;
}

}  // namespace

void YamlBuilder::OnDocumentStart(const YAML::Mark&) {
  frames_.clear();
  anchors_.clear();
  root_ = json();
  document_line_.reset();
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (ExpectsKey())
    return Fail(mark, "a key may not be null; put it in quotes if the word is meant");
  Add(mark, anchor, Value{});
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const bool plain = tag == "?" || tag.empty();
  if (!IsUntagged(tag) && tag != std::string(kYamlTags) + "str") return Fail(mark, TagProblem(tag));
  // The input was UTF-8, but yaml-cpp makes single bytes of these two escapes.
  if (!IsUtf8(value)) {
    return Fail(mark, "the escapes \\_ and \\N are not supported; write \\u00a0 and \\u0085");
  }
  std::optional<json> typed = plain ? ResolvePlainScalar(value) : json(value);
  if (!typed) {
    return Fail(mark, "`" + value +
                          "` is a number that JSON does not have; put it in quotes if "
                          "the text is meant");
  }
  if (ExpectsKey()) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = Value{.json = *typed};
    return AddKey(mark, *typed, value, plain && value == "<<");
  }
  Add(mark, anchor, Value{.json = *std::move(typed)});
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (problem_) return;
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) return Fail(mark, "an alias stands inside of what it refers to");
  if (!ExpectsKey()) return Add(mark, YAML::NullAnchor, found->second);
  const json& key = found->second.json;
  AddKey(mark, key, key.is_string() ? key.get<std::string>() : "*alias", /*is_merge=*/false);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  if (!IsUntagged(tag) && tag != std::string(kYamlTags) + "seq") return Fail(mark, TagProblem(tag));
  Open(mark, anchor, json::array());
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  if (!IsUntagged(tag) && tag != std::string(kYamlTags) + "map") return Fail(mark, TagProblem(tag));
  Open(mark, anchor, json::object());
}

void YamlBuilder::Fail(const YAML::Mark& mark, std::string message) {
  if (problem_) return;
  problem_ = Problem{.message = std::move(message), .line = mark.line, .column = mark.column};
}

bool YamlBuilder::ExpectsKey() const {
  return !frames_.empty() && frames_.back().value.json.is_object() && !frames_.back().key;
}

void YamlBuilder::Open(const YAML::Mark& mark, YAML::anchor_t anchor, json empty) {
  if (problem_) return;
  if (ExpectsKey()) return Fail(mark, "a key must be a string, not a map or a list");
  if (frames_.size() >= kMaxDepth) {
    return Fail(mark, "nested more than " + std::to_string(kMaxDepth) + " levels deep");
  }
  if (!document_line_) document_line_ = mark.line;
  frames_.push_back(Frame{.value = {.json = std::move(empty)}, .mark = mark, .anchor = anchor});
}

void YamlBuilder::Close() {
  if (problem_) return;
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  // Its members are in nodes_ already; Add counts what it is given.
  nodes_ -= frame.value.nodes - 1;
  Add(frame.mark, frame.anchor, std::move(frame.value));
}

void YamlBuilder::Add(const YAML::Mark& mark, YAML::anchor_t anchor, Value value) {
  if (problem_) return;
  nodes_ += value.nodes;
  if (nodes_ > kMaxNodes) {
    return Fail(mark,
                "more than " + std::to_string(kMaxNodes) + " values in one file, aliases included");
  }
  if (frames_.size() + value.height > kMaxDepth) {
    return Fail(mark,
                "nested more than " + std::to_string(kMaxDepth) + " levels deep, aliases included");
  }
  if (anchor != YAML::NullAnchor) anchors_[anchor] = value;
  if (!document_line_) document_line_ = mark.line;
  if (frames_.empty()) {
    root_ = std::move(value.json);
    return;
  }
  Frame& parent = frames_.back();
  parent.value.nodes += value.nodes;
  parent.value.height = std::max(parent.value.height, value.height + 1);
  if (parent.value.json.is_array()) {
    parent.value.json.push_back(std::move(value.json));
  } else {
    AddMember(mark, parent, std::move(value.json));
  }
}

void YamlBuilder::AddKey(const YAML::Mark& mark, const json& key, const std::string& text,
                         bool is_merge) {
  if (problem_) return;
  Frame& map = frames_.back();
  const auto name = KeyText(key);
  if (!name) return Fail(mark, "key `" + text + "` is not a string; put it in quotes");
  if (!is_merge && map.value.json.contains(*name) && map.merged.erase(*name) == 0) {
    return Fail(mark, "key \"" + *name + "\" is there twice in the same map");
  }
  map.key = *name;
  map.key_is_merge = is_merge;
}

void YamlBuilder::AddMember(const YAML::Mark& mark, Frame& map, json value) {
  const std::string key = *std::exchange(map.key, std::nullopt);
  if (!map.key_is_merge) {
    map.value.json[key] = std::move(value);
  } else if (value.is_object()) {
    Merge(mark, map, value);
  } else if (value.is_array()) {
    // The first of the list wins (yaml.org/type/merge.html).
    std::for_each(value.rbegin(), value.rend(), [&](const json& one) { Merge(mark, map, one); });
  } else {
    Fail(mark, "`<<` needs a map, or a list of maps, to merge");
  }
}

void YamlBuilder::Merge(const YAML::Mark& mark, Frame& map, const json& from) {
  if (!from.is_object()) return Fail(mark, "`<<` needs a map, or a list of maps, to merge");
  for (const auto& [key, value] : from.items()) {
    // As go-yaml v2 does: whatever comes later in the text wins.
    if (!map.value.json.contains(key)) map.merged.insert(key);
    map.value.json[key] = value;
  }
}

}  // namespace whimbrel::kube
