#include "cli/run_manifests.h"

#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/migration_text.h"
#include "cli/style.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/controller/controller.h"
#include "whimbrel/controller/crd.h"
#include "whimbrel/engine/in_process_runner.h"
#include "whimbrel/kube/manifest_client.h"
#include "whimbrel/migration/archive.h"

namespace whimbrel::cli {

using kube::ManifestClient;
using nlohmann::json;

namespace {

/// The path of a key of a ConfigMap within the source; as the controller makes it.
std::string PathOf(const json& source, const std::string& key) {
  const std::string directory = source.value("directory", "");
  return directory.empty() ? key : directory + (directory.ends_with('/') ? "" : "/") + key;
}

/// A file of an archive; empty when it is not to be had.
std::string TextInArchive(const json& config_map, const std::string& key, const std::string& path) {
  std::string archive;
  const json files = config_map.value("binaryData", json::object());
  if (!Base64Decode(files.value(key, ""), &archive)) return "";
  migration::MemorySourceBuilder builder;
  if (!migration::AddArchive(archive, key, builder)) return "";
  const std::shared_ptr<const migration::Source> source = std::move(builder).Build();
  const migration::SourceFile* file = source->Find(path);
  return file == nullptr ? "" : *file->bytes();
}

std::string FindSourceText(ManifestClient& client, const json& object, const std::string& path) {
  const json source = object.value(json::json_pointer("/spec/source"), json::object());
  for (const json& file : source.value("inline", json::array())) {
    if (file.value("name", "") == path) return file.value("sql", "");
  }
  const std::string ns = object.at("metadata").value("namespace", "");
  if (const json archive = source.value("archive", json::object()); !archive.empty()) {
    auto config_map = client.Get(kube::ConfigMaps(), {ns, archive.value("configMap", "")}, {});
    if (config_map) return TextInArchive(*config_map, archive.value("key", ""), path);
  }
  for (const json& reference : source.value("configMaps", json::array())) {
    auto config_map = client.Get(kube::ConfigMaps(), {ns, reference.value("name", "")}, {});
    if (!config_map) continue;
    const json files = config_map->value("data", json::object());
    for (const auto& [key, text] : files.items()) {
      if (PathOf(reference, key) == path && text.is_string()) return text.get<std::string>();
    }
  }
  return "";
}

void PrintText(ManifestClient& client, const std::vector<json>& objects, std::ostream& out) {
  const bool colour = WantsColour(STDOUT_FILENO);
  out << GetTable(objects, Clock::System().SystemNow());
  const SourceTextOf source_text = [&](const json& object, const std::string& path) {
    return FindSourceText(client, object, path);
  };
  for (const json& object : objects) {
    const std::string details = DetailsText(object, source_text, colour);
    if (details.empty()) continue;
    out << "\n";
    if (objects.size() > 1) out << object.at("metadata").value("name", "") << "\n";
    out << details;
  }
}

void PrintJson(const std::vector<json>& objects, std::ostream& out) {
  out << json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}}.dump(2) << "\n";
}

ExitCode PrintOutcome(ManifestClient& client, const RunManifestsOptions& options, bool stopped,
                      std::ostream& out, std::ostream& err) {
  auto objects = controller::ReadDatabaseMigrations(client, {}, {});
  if (!objects) {
    err << "whimbrel: " << objects.error().ToString() << "\n";
    return ExitCode::kRetryable;
  }
  if (objects->empty()) {
    err << "whimbrel: no DatabaseMigration among the manifests\n";
    return ExitCode::kUsage;
  }
  if (options.json) {
    PrintJson(*objects, out);
  } else {
    PrintText(client, *objects, out);
  }
  const ExitCode code = ExitCodeOf(*objects);
  if (!stopped || code == ExitCode::kReady) return code;
  // What had not ended might have: running it again is what helps.
  err << "whimbrel: stopped before every resource was Ready; what was under way was rolled back\n";
  return ExitCode::kRetryable;
}

}  // namespace

ExitCode RunManifests(const RunManifestsOptions& options, std::stop_token stop, std::ostream& out,
                      std::ostream& err) {
  Result<kube::ServedResource> served = controller::ServedDatabaseMigrations();
  if (!served) {
    err << "whimbrel: " << served.error().ToString() << "\n";
    return ExitCode::kUsage;
  }
  auto client = ManifestClient::Load(options.paths, options.ns, {std::move(*served)});
  if (!client) {
    err << "whimbrel: " << client.error().ToString() << "\n";
    return ExitCode::kUsage;
  }
  for (const std::string& warning : (*client)->Warnings()) err << "warning: " << warning << "\n";

  auto runner =
      engine::NewInProcessRunner({.max_concurrent_migrations = options.max_concurrent_migrations});
  controller::Controller controller(
      **client, *runner,
      {.trust = report::Trust::kLocal, .objects_may_appear = false, .jobs_in_process = true});
  if (Result<void> started = controller.Start(stop); !started) {
    err << "whimbrel: " << started.error().ToString() << "\n";
    return stop.stop_requested() ? ExitCode::kRetryable : ExitCode::kUsage;
  }
  controller.WaitUntilSettled(stop);
  controller.Stop();
  return PrintOutcome(**client, options, stop.stop_requested(), out, err);
}

}  // namespace whimbrel::cli
