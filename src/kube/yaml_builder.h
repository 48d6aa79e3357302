#pragma once

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace whimbrel::kube {

/// Builds JSON values from the events of yaml-cpp's parser, within bounds. yaml-cpp's own node tree
/// is not used: it keeps duplicate keys, does not merge `<<`, types nothing, and makes cyclic
/// graphs of aliases (reference/controller.md §17).
///
/// The first error is kept and everything after it is ignored, so that nothing has to be thrown
/// through the library. One builder serves all documents of a file; its bounds are for the whole
/// file.
class YamlBuilder final : public YAML::EventHandler {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  /// Values, counted once for each place that an alias puts them in: what makes alias bombs small.
  static constexpr std::size_t kMaxNodes = 100'000;

  struct Problem {
    std::string message;
    int line = 0;    ///< 0-based, as yaml-cpp counts.
    int column = 0;  ///< 0-based, in bytes.
  };

  [[nodiscard]] const std::optional<Problem>& problem() const { return problem_; }
  /// The document that just ended, and the 0-based line of its first value.
  [[nodiscard]] nlohmann::json TakeDocument() { return std::move(root_); }
  [[nodiscard]] int document_line() const { return document_line_.value_or(0); }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { Close(); }

 private:
  struct Value {
    nlohmann::json json;
    std::size_t nodes = 1;   ///< How many values it is, itself included.
    std::size_t height = 0;  ///< How deep it nests; 0 for a scalar.
  };

  /// A map or a sequence whose end has not come yet.
  struct Frame {
    Value value;
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key;  ///< Of a map: was read, its value comes next.
    bool key_is_merge = false;
    std::set<std::string> merged;  ///< Keys that only `<<` has set so far.
  };

  void Fail(const YAML::Mark& mark, std::string message);
  [[nodiscard]] bool ExpectsKey() const;
  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, nlohmann::json empty);
  void Close();
  void Add(const YAML::Mark& mark, YAML::anchor_t anchor, Value value);
  void AddKey(const YAML::Mark& mark, const nlohmann::json& key, const std::string& text,
              bool is_merge);
  void AddMember(const YAML::Mark& mark, Frame& map, nlohmann::json value);
  void Merge(const YAML::Mark& mark, Frame& map, const nlohmann::json& from);

  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Value> anchors_;
  std::size_t nodes_ = 0;
  nlohmann::json root_;
  std::optional<int> document_line_;
  std::optional<Problem> problem_;
};

}  // namespace whimbrel::kube
