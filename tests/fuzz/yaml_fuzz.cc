#include <nlohmann/json.hpp>

#include "fuzz/fuzz.h"
#include "whimbrel/kube/yaml.h"

// No text breaks the reader; what it read, written as JSON, which is YAML too, reads the same.
namespace whimbrel::fuzz {

void Try(std::string_view input) {
  const auto documents = kube::ParseYaml(input, "fuzz.yaml");
  if (!documents) return;
  for (const kube::YamlDocument& document : *documents) {
    const std::string json = document.value->dump();
    const auto again = kube::ParseYaml(json, "again.yaml");
    Require(again && again->size() == 1 && *again->front().value == *document.value,
            "what was read can be written and read again",
            json + (again ? "" : "\n" + again.error().ToString()));
  }
}

}  // namespace whimbrel::fuzz
