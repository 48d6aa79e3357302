#include "cli/runner_mount.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "whimbrel/migration/archive.h"
#include "whimbrel/migration/mounted_folder.h"

namespace whimbrel::cli {

using migration::MountedFiles;
using report::Reason;
using report::RunnerFiles;
using report::RunnerTask;
using report::RunReport;

namespace {

/// An optional volume whose object does not exist is empty, or not there at all.
Result<MountedFiles> ReadOptional(const std::string& folder) {
  Result<MountedFiles> files = migration::ReadMountedFolder(folder);
  if (!files && files.error().kind == ErrorKind::kNotFound) return MountedFiles();
  return files;
}

std::string FolderOf(std::string_view name) { return std::string(name.substr(0, name.find('/'))); }
std::string KeyOf(std::string_view name) { return std::string(name.substr(name.find('/') + 1)); }

/// One key of the Secret `origin`.
Result<std::string> Take(MountedFiles& files, const std::string& key, const std::string& origin) {
  const auto found = files.find(key);
  if (found != files.end()) return std::move(found->second);
  return Fail(ErrorKind::kNotFound,
              origin + (files.empty() ? " does not exist, or has no key " : " has no key ") + key);
}

RunReport FailureFor(Reason reason, const Error& error) {
  RunReport report;
  report.failure = report::Failure{.reason = reason, .message = error.message};
  return report;
}

std::string SecretNamed(const RunnerTask& task, const std::string& name) {
  return "Secret " + task.request.ns + "/" + name;
}

}  // namespace

/// Collects the files, and everything that is missing, so that a person sees it all at once.
class RunnerMount::SourceReader {
 public:
  Result<void> AddFolder(const std::string& path, const report::MountedFolder& folder) {
    Result<MountedFiles> files = ReadOptional(path);
    if (!files) return tl::make_unexpected(std::move(files).error());
    if (files->empty()) {
      Missing(folder.origin + " does not exist or has none of the files");
      return {};
    }
    for (const std::string& key : folder.keys) {
      if (!files->contains(key)) Missing(folder.origin + " has no key " + key);
    }
    for (auto& [key, bytes] : *files) {
      const std::string name = folder.directory.empty() ? key : folder.directory + "/" + key;
      if (Result<void> added = builder_.Add(name, std::move(bytes), folder.origin); !added)
        return added;
    }
    return {};
  }

  Result<void> AddInline(const Result<std::string>& text) {
    return IfThere(text, [this](const std::string& json) { return AddList(json); });
  }

  Result<void> AddArchive(const Result<std::string>& bytes, const std::string& origin) {
    return IfThere(bytes, [&](const std::string& archive) {
      return migration::AddArchive(archive, origin, builder_);
    });
  }

  [[nodiscard]] const std::string& missing() const { return missing_; }
  [[nodiscard]] std::shared_ptr<const migration::Source> Build() && {
    return std::move(builder_).Build();
  }

 private:
  template <class Add>
  Result<void> IfThere(const Result<std::string>& bytes, const Add& add) {
    if (bytes) return add(*bytes);
    if (bytes.error().kind != ErrorKind::kNotFound) return tl::make_unexpected(bytes.error());
    Missing(bytes.error().message);
    return {};
  }

  Result<void> AddList(const std::string& text) {
    const nlohmann::json list = nlohmann::json::parse(text, nullptr, false);
    if (!list.is_array()) return BadList();
    for (const nlohmann::json& file : list) {
      if (!HasText(file, "name") || !HasText(file, "sql")) return BadList();
      Result<void> added = builder_.Add(file["name"].get<std::string>(),
                                        file["sql"].get<std::string>(), "spec.source.inline");
      if (!added) return added;
    }
    return {};
  }

  static bool HasText(const nlohmann::json& object, const char* field) {
    return object.is_object() && object.contains(field) && object[field].is_string();
  }

  static tl::unexpected<Error> BadList() {
    return Fail(ErrorKind::kInvalidArgument, "the annotation " +
                                                 std::string(report::kInlineAnnotation) +
                                                 " of the pod is no list of {name, sql}");
  }

  void Missing(const std::string& what) { missing_ += (missing_.empty() ? "" : "; ") + what; }

  migration::MemorySourceBuilder builder_;
  std::string missing_;
};

namespace {

RunReport SourceFailure(const Error& error) {
  // Files that cannot be read are nothing that an edit of them would mend.
  const bool theirs = error.kind == ErrorKind::kInvalidArgument;
  RunReport report = FailureFor(theirs ? Reason::kInvalidSource : Reason::kInternalError, error);
  report.transient = error.kind == ErrorKind::kUnavailable;
  return report;
}

RunReport SourceNotFound(std::string what) {
  RunReport report = FailureFor(Reason::kSourceNotFound, {ErrorKind::kNotFound, std::move(what)});
  report.transient = report.uncounted = true;
  return report;
}

/// As the engine reports a folder that changes under its hands: the next attempt reads anew.
RunReport SourceChanged(const RunnerTask& task, const migration::Source& found) {
  RunReport report =
      FailureFor(Reason::kSourceChanged,
                 {ErrorKind::kSourceChanged, "the mounted files have the digest " + found.digest +
                                                 ", planned were those of " + task.source_digest +
                                                 "; nothing was run"});
  report.transient = true;
  return report;
}

}  // namespace

Result<std::string> RunnerMount::ReadFile(std::string_view name, const std::string& origin) const {
  Result<MountedFiles> files = ReadOptional(PathOf(FolderOf(name)));
  if (!files) return tl::make_unexpected(std::move(files).error());
  const auto found = files->find(KeyOf(name));
  if (found != files->end()) return std::move(found->second);
  return Fail(ErrorKind::kNotFound, origin + " does not exist");
}

Result<RunnerTask> RunnerMount::ReadTask() const {
  const Result<std::string> text = ReadFile(RunnerFiles::kTask, PathOf(RunnerFiles::kTask));
  if (!text) {
    return Fail(text.error().kind,
                "the run task cannot be read: " + text.error().message +
                    "; `whimbrel runner` is started by the controller, in the pod of a Job");
  }
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  if (json.is_discarded()) {
    return Fail(ErrorKind::kInvalidArgument, "the run task cannot be read: the annotation " +
                                                 std::string(report::kTaskAnnotation) +
                                                 " of the pod is no JSON");
  }
  return report::RunnerTaskFromJson(json);
}

Result<void> RunnerMount::AddAll(const RunnerTask& task, SourceReader& reader) const {
  Result<void> added;
  for (std::size_t i = 0; added && i < task.folders.size(); ++i) {
    added =
        reader.AddFolder(PathOf(RunnerFiles::kSource) + "/" + std::to_string(i), task.folders[i]);
  }
  if (added && !task.archive.empty())
    added = reader.AddArchive(ReadFile(RunnerFiles::kArchive, task.archive), task.archive);
  if (added && task.inline_files)
    added = reader.AddInline(ReadFile(RunnerFiles::kInline, PathOf(RunnerFiles::kInline)));
  return added;
}

Result<std::shared_ptr<const migration::Source>, RunReport> RunnerMount::ReadSource(
    const RunnerTask& task) const {
  SourceReader reader;
  if (Result<void> added = AddAll(task, reader); !added)
    return tl::make_unexpected(SourceFailure(added.error()));
  std::string missing = reader.missing();
  std::shared_ptr<const migration::Source> source = std::move(reader).Build();
  // First, since an empty ConfigMap looks like none, and lacks nothing where none was planned.
  if (source->digest == task.source_digest) return source;
  return tl::make_unexpected(missing.empty() ? SourceChanged(task, *source)
                                             : SourceNotFound(std::move(missing)));
}

Result<void> RunnerMount::ReadClientCertificate(const RunnerTask& task,
                                                report::TlsRequest& tls) const {
  // Both of one version of the Secret: a new certificate does not go with the old key.
  Result<MountedFiles> files = ReadOptional(PathOf(FolderOf(RunnerFiles::kClientKey)));
  if (!files) return tl::make_unexpected(std::move(files).error());
  const std::string origin = SecretNamed(task, task.client_certificate);
  Result<std::string> certificate = Take(*files, KeyOf(RunnerFiles::kClientCertificate), origin);
  if (!certificate) return tl::make_unexpected(std::move(certificate).error());
  Result<std::string> key = Take(*files, KeyOf(RunnerFiles::kClientKey), origin);
  if (!key) return tl::make_unexpected(std::move(key).error());
  tls.client_certificate_pem = *std::move(certificate);
  tls.client_key_pem = Secret(*std::move(key));
  return {};
}

Result<report::Login> RunnerMount::ReadLogin(const RunnerTask& task) const {
  report::Login login;
  login.tls.mode = task.request.database.tls.mode;
  if (!task.secret.empty()) {
    Result<MountedFiles> values = ReadOptional(PathOf(RunnerFiles::kCredentials));
    if (!values) return tl::make_unexpected(std::move(values).error());
    if (values->empty()) {
      return Fail(ErrorKind::kNotFound,
                  SecretNamed(task, task.secret) + " does not exist, or holds no data");
    }
    for (auto& [key, value] : *values) login.credentials.emplace(key, Secret(std::move(value)));
  }
  if (!task.authority.empty()) {
    Result<std::string> pem = ReadFile(RunnerFiles::kAuthority, task.authority);
    if (!pem) return tl::make_unexpected(std::move(pem).error());
    login.tls.ca_pem = *std::move(pem);
  }
  if (task.client_certificate.empty()) return login;
  Result<void> read = ReadClientCertificate(task, login.tls);
  if (!read) return tl::make_unexpected(std::move(read).error());
  return login;
}

}  // namespace whimbrel::cli
