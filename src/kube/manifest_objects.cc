#include "kube/manifest_objects.h"

#include <algorithm>
#include <string_view>

#include "kube/manifest_data.h"
#include "kube/manifest_metadata.h"

namespace whimbrel::kube {
namespace {

using nlohmann::json;

std::string TextAt(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// How objects of one kind are checked.
struct Kind {
  Resource resource;
  const ServedResource* served = nullptr;  ///< nullptr: built in.
};

/// Turns documents into a set of objects, one after the other; collects what is wrong with each.
class Checker {
 public:
  Checker(const std::string& default_namespace, const std::vector<ServedResource>& served)
      : default_namespace_(default_namespace) {
    kinds_.push_back({.resource = ConfigMaps()});
    kinds_.push_back({.resource = Secrets()});
    for (const ServedResource& one : served) {
      kinds_.push_back({.resource = one.resource, .served = &one});
    }
  }

  void Check(ManifestDocument&& document);
  [[nodiscard]] const std::vector<std::string>& findings() const { return findings_; }
  [[nodiscard]] ManifestSet Take() { return std::move(set_); }

 private:
  [[nodiscard]] const Kind* FindKind(const ManifestDocument& document);
  void CheckContent(const Kind& kind, json& object, std::vector<std::string>& problems) const;
  void Add(const Resource& resource, ManifestDocument&& document);
  void SkipOrRefuse(const ManifestDocument& document);

  const std::string& default_namespace_;
  std::vector<Kind> kinds_;
  ManifestSet set_;
  std::vector<std::string> findings_;
};

void Checker::Check(ManifestDocument&& document) {
  json& object = document.object;
  if (!object.is_object() || TextAt(object, "apiVersion").empty() ||
      TextAt(object, "kind").empty()) {
    findings_.push_back(document.where + ": a manifest must be a map with apiVersion and kind");
    return;
  }
  const Kind* kind = FindKind(document);
  if (kind == nullptr) return SkipOrRefuse(document);
  std::vector<std::string> problems;
  NormalizeMetadata(object, problems);
  CheckContent(*kind, object, problems);
  for (const std::string& problem : problems) {
    findings_.push_back(DescribeManifest(document.where, object) + ": " + problem);
  }
  if (problems.empty()) Add(kind->resource, std::move(document));
}

const Kind* Checker::FindKind(const ManifestDocument& document) {
  const auto matches = [&](const Kind& kind) {
    return kind.resource.kind == TextAt(document.object, "kind") &&
           kind.resource.ApiVersion() == TextAt(document.object, "apiVersion");
  };
  const auto found = std::find_if(kinds_.begin(), kinds_.end(), matches);
  return found == kinds_.end() ? nullptr : &*found;
}

void Checker::CheckContent(const Kind& kind, json& object,
                           std::vector<std::string>& problems) const {
  if (kind.served == nullptr) {
    const bool secret = kind.resource == Secrets();
    return secret ? NormalizeSecret(object, problems) : NormalizeConfigMap(object, problems);
  }
  // First what the user wrote, status included: a misspelt field there is a mistake too.
  kind.served->schema.ApplyDefaults(object);
  const std::vector<std::string> violations = kind.served->schema.Validate(object);
  problems.insert(problems.end(), violations.begin(), violations.end());
  // Then it goes, as a create drops it; the defaults bring a fresh one.
  object.erase("status");
  kind.served->schema.ApplyDefaults(object);
}

void Checker::Add(const Resource& resource, ManifestDocument&& document) {
  json& metadata = document.object["metadata"];
  if (!metadata.contains("namespace")) metadata["namespace"] = default_namespace_;
  const ObjectKey key{.ns = metadata["namespace"], .name = metadata["name"]};
  const auto found = set_.objects.find({resource, key});
  if (found != set_.objects.end()) {
    findings_.push_back(DescribeManifest(document.where, document.object) +
                        ": is there already, in " + found->second.where);
    return;
  }
  set_.objects[{resource, key}] = {.where = document.where, .object = std::move(document.object)};
}

/// Other kinds are none of our business, unless one of ours was meant.
void Checker::SkipOrRefuse(const ManifestDocument& document) {
  const std::string kind = TextAt(document.object, "kind");
  const std::string version = TextAt(document.object, "apiVersion");
  const std::string group = version.substr(0, version.find('/'));
  for (const Kind& known : kinds_) {
    const bool same_group = known.served != nullptr && known.resource.group == group;
    if (known.resource.kind != kind && !same_group) continue;
    findings_.push_back(document.where + ": no matches for kind \"" + kind + "\" in version \"" +
                        version + "\"; did you mean " + known.resource.kind + " in " +
                        known.resource.ApiVersion() + "?");
    return;
  }
  if (kind == "Namespace" && version == "v1") return;  // There is every namespace already.
  std::string ours;
  for (const Kind& known : kinds_) ours += (ours.empty() ? "" : ", ") + known.resource.kind;
  set_.warnings.push_back(DescribeManifest(document.where, document.object) +
                          ": is left out; what counts here: " + ours);
}

}  // namespace

std::string DescribeManifest(const std::string& where, const json& object) {
  std::string text = where + ": " + TextAt(object, "kind");
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return text;
  const std::string ns = TextAt(*metadata, "namespace");
  const std::string name = TextAt(*metadata, "name");
  if (!name.empty()) text += " " + (ns.empty() ? "" : ns + "/") + name;
  return text;
}

Error ManifestError(const std::vector<std::string>& findings) {
  constexpr std::size_t kMaxShown = 20;
  std::string message;
  for (std::size_t i = 0; i < findings.size() && i < kMaxShown; ++i) {
    message += (i == 0 ? "" : "\n") + findings[i];
  }
  if (findings.size() > kMaxShown) {
    message += "\nand " + std::to_string(findings.size() - kMaxShown) + " more";
  }
  return {.kind = ErrorKind::kInvalidArgument, .message = std::move(message)};
}

Result<ManifestSet> CheckManifests(std::vector<ManifestDocument> documents,
                                   const std::string& default_namespace,
                                   const std::vector<ServedResource>& served) {
  Checker checker(default_namespace, served);
  for (ManifestDocument& document : documents) checker.Check(std::move(document));
  if (!checker.findings().empty()) return tl::make_unexpected(ManifestError(checker.findings()));
  return checker.Take();
}

}  // namespace whimbrel::kube
