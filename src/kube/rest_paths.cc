#include "kube/rest_paths.h"

#include "kube/server_url.h"

namespace whimbrel::kube {

std::string ResourcePath(const Resource& resource, std::string_view ns, std::string_view name,
                         std::string_view subresource) {
  std::string path =
      resource.group.empty() ? "/api/" : "/apis/" + PercentEncode(resource.group) + "/";
  path += PercentEncode(resource.version);
  if (resource.namespaced && !ns.empty()) path += "/namespaces/" + PercentEncode(ns);
  path += "/" + PercentEncode(resource.plural);
  if (!name.empty()) path += "/" + PercentEncode(name);
  if (!subresource.empty()) path += "/" + PercentEncode(subresource);
  return path;
}

std::string Query(const std::vector<std::pair<std::string_view, std::string>>& parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    query += query.empty() ? '?' : '&';
    query += name;
    query += '=';
    query += PercentEncode(value);
  }
  return query;
}

}  // namespace whimbrel::kube
