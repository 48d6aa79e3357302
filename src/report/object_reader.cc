#include "report/object_reader.h"

#include <limits>

namespace whimbrel::report {

using nlohmann::json;

namespace {

const json kNull;

}  // namespace

const json& ObjectReader::Field(const char* field) const {
  if (Has(field)) return object_.at(field);
  Refuse(field, "is missing");
  return kNull;
}

std::string ObjectReader::NameOf(const char* field) const {
  if (path_.empty()) return *field == '\0' ? "it" : field;
  return *field == '\0' ? path_ : path_ + "." + field;
}

std::string ObjectReader::Text(const char* field) const {
  const json& value = Field(field);
  if (value.is_string()) return value.get<std::string>();
  Refuse(field, "must be a text");
  return "";
}

bool ObjectReader::Flag(const char* field) const {
  const json& value = Field(field);
  if (value.is_boolean()) return value.get<bool>();
  Refuse(field, "must be true or false");
  return false;
}

std::int64_t ObjectReader::Whole(const char* field, std::int64_t least, std::int64_t most) const {
  const json& value = Field(field);
  const std::int64_t number = value.is_number_integer() ? Integer<std::int64_t>(value) : least;
  if (value.is_number_integer() && number >= least && number <= most) return number;
  Refuse(field,
         "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return least;
}

std::vector<std::string> ObjectReader::Texts(const char* field) const {
  const json& value = Field(field);
  std::vector<std::string> texts;
  if (!value.is_array()) Refuse(field, "must be a list of texts");
  for (const json& element : value) {
    if (element.is_string()) {
      texts.push_back(element.get<std::string>());
    } else {
      Refuse(field, "must be a list of texts");
    }
  }
  return texts;
}

std::vector<ObjectReader> ObjectReader::Objects(const char* field) const {
  const json& value = Field(field);
  std::vector<ObjectReader> objects;
  if (!value.is_array()) {
    Refuse(field, "must be a list");
    return objects;
  }
  for (const json& element : value) {
    objects.emplace_back(element, NameOf(field) + "[" + std::to_string(objects.size()) + "]",
                         error_);
  }
  return objects;
}

void ObjectReader::CheckSchemaVersion(int known) const {
  const std::int64_t version = Whole("schemaVersion", 1, std::numeric_limits<int>::max());
  if (version == known) return;
  Refuse("schemaVersion", "is " + std::to_string(version) + ", this program knows " +
                              std::to_string(known) +
                              "; use one version of whimbrel on both sides");
}

}  // namespace whimbrel::report
