#include "controller/job_volumes.h"

#include <string>
#include <string_view>
#include <utility>

#include "controller/run_request.h"

namespace whimbrel::controller {
namespace {

using nlohmann::json;
using report::RunnerFiles;

/// Readable for the group of the pod (fsGroup), and for nobody else: 0440.
constexpr int kMode = 0440;

/// `task` of `task/task.json`.
std::string FolderOf(std::string_view file) { return std::string(file.substr(0, file.find('/'))); }
/// `task.json` of it.
std::string NameIn(std::string_view file) { return std::string(file.substr(file.find('/') + 1)); }

json Item(const std::string& key, std::string_view path) { return {{"key", key}, {"path", path}}; }

class Mounter {
 public:
  /// `source` is one of a volume's sources, `{"configMap": …}`.
  void Mount(const std::string& name, const std::string& folder, json source) {
    source["name"] = name;
    out_.volumes.push_back(std::move(source));
    out_.mounts.push_back({{"name", name},
                           {"mountPath", std::string(RunnerFiles::kRoot) + "/" + folder},
                           {"readOnly", true}});
  }
  void MountConfigMap(const std::string& name, const std::string& folder,
                      const std::string& config_map, json items) {
    json source = {{"name", config_map}, {"optional", true}, {"defaultMode", kMode}};
    if (!items.empty()) source["items"] = std::move(items);
    Mount(name, folder, {{"configMap", std::move(source)}});
  }
  void MountSecret(const std::string& folder, const std::string& secret, json items) {
    json source = {{"secretName", secret}, {"optional", true}, {"defaultMode", kMode}};
    if (!items.empty()) source["items"] = std::move(items);
    Mount(folder, folder, {{"secret", std::move(source)}});
  }
  JobVolumes Take() { return std::move(out_); }

 private:
  JobVolumes out_;
};

json AnnotationAsFile(std::string_view annotation, std::string_view file) {
  const std::string field = "metadata.annotations['" + std::string(annotation) + "']";
  return {{"path", NameIn(file)}, {"fieldRef", {{"fieldPath", field}}}};
}

void MountTask(const SourceSpec& source, Mounter& mounter) {
  json items = json::array({AnnotationAsFile(report::kTaskAnnotation, RunnerFiles::kTask)});
  if (!source.inline_files.empty()) {
    items.push_back(AnnotationAsFile(report::kInlineAnnotation, RunnerFiles::kInline));
  }
  const std::string folder = FolderOf(RunnerFiles::kTask);
  mounter.Mount(folder, folder,
                {{"downwardAPI", {{"defaultMode", kMode}, {"items", std::move(items)}}}});
}

void MountSource(const SourceSpec& source, Mounter& mounter) {
  const std::string folder(RunnerFiles::kSource);
  for (std::size_t i = 0; i < source.config_maps.size(); ++i) {
    json items = json::array();
    for (const std::string& key : source.config_maps[i].keys) items.push_back(Item(key, key));
    const std::string number = std::to_string(i);
    mounter.MountConfigMap(folder + "-" + number, folder + "/" + number, source.config_maps[i].name,
                           std::move(items));
  }
  if (!source.archive) return;
  const std::string archive = FolderOf(RunnerFiles::kArchive);
  mounter.MountConfigMap(archive, archive, source.archive->config_map,
                         json::array({Item(source.archive->key, NameIn(RunnerFiles::kArchive))}));
}

void MountTls(const TlsSpec& tls, Mounter& mounter) {
  if (tls.ca) {
    const std::string folder = FolderOf(RunnerFiles::kAuthority);
    json items = json::array({Item(tls.ca->key, NameIn(RunnerFiles::kAuthority))});
    if (tls.ca->kind == KeyRef::Kind::kSecret) {
      mounter.MountSecret(folder, tls.ca->name, std::move(items));
    } else {
      mounter.MountConfigMap(folder, folder, tls.ca->name, std::move(items));
    }
  }
  if (tls.client_certificate_secret.empty()) return;
  mounter.MountSecret(FolderOf(RunnerFiles::kClientKey), tls.client_certificate_secret,
                      json::array({Item("tls.crt", NameIn(RunnerFiles::kClientCertificate)),
                                   Item("tls.key", NameIn(RunnerFiles::kClientKey))}));
}

std::string NameOf(const char* kind, const std::string& ns, const std::string& name) {
  return std::string(kind) + " " + ns + "/" + name;
}

std::string NameOf(const KeyRef& ref, const std::string& ns) {
  const char* kind = ref.kind == KeyRef::Kind::kSecret ? "Secret" : "ConfigMap";
  return NameOf(kind, ns, ref.name) + ", key " + ref.key;
}

}  // namespace

JobVolumes MountFiles(const Spec& spec) {
  Mounter mounter;
  MountTask(spec.source, mounter);
  MountSource(spec.source, mounter);
  if (spec.database.secret) {
    mounter.MountSecret(std::string(RunnerFiles::kCredentials), spec.database.secret->name, {});
  }
  MountTls(spec.database.tls, mounter);
  return mounter.Take();
}

report::RunnerTask DescribeTask(const DatabaseMigration& object, const RunState& run) {
  const Spec& spec = *object.spec;
  const std::string& ns = object.metadata.key.ns;
  report::RunnerTask task{
      .request = BuildRunRequest(object, run, nullptr, {}, report::Trust::kCluster),
      .source_digest = run.source_digest,
      .inline_files = !spec.source.inline_files.empty(),
      .client_certificate = spec.database.tls.client_certificate_secret};
  for (const ConfigMapSource& from : spec.source.config_maps) {
    task.folders.push_back({.origin = NameOf("ConfigMap", ns, from.name),
                            .directory = from.directory,
                            .keys = from.keys});
  }
  if (const auto& archive = spec.source.archive) {
    task.archive = NameOf("ConfigMap", ns, archive->config_map) + ", key " + archive->key;
  }
  if (spec.database.secret) task.secret = spec.database.secret->name;
  if (spec.database.tls.ca) task.authority = NameOf(*spec.database.tls.ca, ns);
  return task;
}

}  // namespace whimbrel::controller
