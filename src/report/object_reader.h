#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/json_values.h"

namespace whimbrel::report {

/// Reads the fields of one JSON object strictly, and keeps the first thing that is wrong, with the
/// path of its field; what is wrong reads as empty. Nothing throws. `error` is shared by the
/// readers of nested objects and must outlive them.
class ObjectReader {
 public:
  ObjectReader(const nlohmann::json& object, std::string path, std::string& error)
      : object_(object), path_(std::move(path)), error_(error) {
    if (!object.is_object() && error_.empty()) error_ = NameOf("") + " must be an object";
  }

  [[nodiscard]] bool Has(const char* field) const {
    return object_.is_object() && object_.contains(field);
  }
  [[nodiscard]] std::string Text(const char* field) const;
  [[nodiscard]] bool Flag(const char* field) const;
  /// From `least` to `most`.
  [[nodiscard]] std::int64_t Whole(const char* field, std::int64_t least, std::int64_t most) const;
  [[nodiscard]] std::vector<std::string> Texts(const char* field) const;
  [[nodiscard]] ObjectReader Object(const char* field) const {
    return {Field(field), NameOf(field), error_};
  }
  /// One reader for each element.
  [[nodiscard]] std::vector<ObjectReader> Objects(const char* field) const;

  template <class T>
  struct Choice {
    std::string_view name;
    T value;
  };
  /// One of the names.
  template <class T, std::size_t N>
  [[nodiscard]] T Enum(const char* field, const std::array<Choice<T>, N>& choices) const {
    const std::string text = Text(field);
    for (const Choice<T>& choice : choices) {
      if (choice.name == text) return choice.value;
    }
    RefuseValue(field, text);
    return choices.front().value;
  }

  // What may be missing, and reads as empty then. What is there must still be of the right type.
  [[nodiscard]] std::string OptionalText(const char* field) const {
    return Has(field) ? Text(field) : "";
  }
  [[nodiscard]] bool OptionalFlag(const char* field) const { return Has(field) && Flag(field); }
  /// A whole number, or the nearest one that fits.
  template <class T>
  [[nodiscard]] T OptionalNumber(const char* field) const {
    if (!Has(field)) return {};
    const nlohmann::json& value = Field(field);
    if (value.is_number_integer()) return Integer<T>(value);
    Refuse(field, "must be a whole number");
    return {};
  }
  [[nodiscard]] std::vector<ObjectReader> OptionalObjects(const char* field) const {
    return Has(field) ? Objects(field) : std::vector<ObjectReader>();
  }

  /// To be called before anything else is read: another version may have another shape.
  void CheckSchemaVersion(int known) const;

  void Refuse(const char* field, const std::string& what) const {
    if (error_.empty()) error_ = NameOf(field) + " " + what;
  }
  void RefuseValue(const char* field, const std::string& value) const {
    Refuse(field, "has the value `" + value + "`, which this version of whimbrel does not know");
  }

 private:
  /// Null where there is none, which is refused.
  [[nodiscard]] const nlohmann::json& Field(const char* field) const;
  [[nodiscard]] std::string NameOf(const char* field) const;

  const nlohmann::json& object_;
  std::string path_;
  std::string& error_;
};

}  // namespace whimbrel::report
