#include "kube/manifest_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "whimbrel/kube/yaml.h"

namespace whimbrel::kube {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

bool IsManifest(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

tl::unexpected<Error> CannotRead(const std::string& path, const std::error_code& error) {
  const bool missing = error == std::errc::no_such_file_or_directory;
  return Fail(missing ? ErrorKind::kNotFound : ErrorKind::kUnavailable,
              path + " cannot be read: " + error.message());
}

Result<std::vector<std::string>> FilesOfFolder(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    // Asked of what a link leads to: the files of a mounted ConfigMap are links.
    std::error_code ignored;
    if (IsManifest(entry->path()) && entry->is_regular_file(ignored)) {
      files.push_back(entry->path().string());
    }
  }
  if (error) return CannotRead(folder, error);
  if (files.empty()) {
    return Fail(ErrorKind::kNotFound, folder + " holds no *.yaml, *.yml or *.json file");
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Each file once, even where a folder and a file of it are both given.
Result<std::vector<std::string>> ListFiles(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  std::set<fs::path> seen;
  for (const std::string& path : paths) {
    std::error_code error;
    const bool folder = fs::is_directory(fs::status(path, error));
    Result<std::vector<std::string>> found =
        folder ? FilesOfFolder(path) : std::vector<std::string>{path};
    if (!found) return found;
    for (std::string& file : *found) {
      std::error_code ignored;
      if (seen.insert(fs::weakly_canonical(file, ignored)).second) files.push_back(std::move(file));
    }
  }
  return files;
}

Result<std::string> ReadFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::array<char, 65536> piece;
  // One piece more than ParseYaml takes, so that it is the one who refuses.
  while (file && text.size() <= kMaxYamlBytes) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || file.bad()) {
    return CannotRead(path, std::error_code(errno, std::generic_category()));
  }
  return text;
}

bool IsList(const json& value) {
  const auto kind = value.find("kind");
  const auto items = value.find("items");
  return kind != value.end() && kind->is_string() && items != value.end() && items->is_array() &&
         kind->get_ref<const std::string&>().ends_with("List");
}

void AddDocument(std::vector<ManifestDocument>& documents, const std::string& where, json&& value) {
  if (value.is_null()) return;
  if (!value.is_object() || !IsList(value)) {
    documents.push_back({.where = where, .object = std::move(value)});
    return;
  }
  for (json& item : value["items"]) {
    documents.push_back({.where = where, .object = std::move(item)});
  }
}

}  // namespace

Result<std::vector<ManifestDocument>> ReadManifests(const std::vector<std::string>& paths) {
  const Result<std::vector<std::string>> files = ListFiles(paths);
  if (!files) return tl::make_unexpected(files.error());
  std::vector<ManifestDocument> documents;
  for (const std::string& file : *files) {
    const Result<std::string> text = ReadFile(file);
    if (!text) return tl::make_unexpected(text.error());
    Result<std::vector<YamlDocument>> parsed = ParseYaml(*text, file);
    if (!parsed) return tl::make_unexpected(parsed.error());
    for (YamlDocument& document : *parsed) {
      AddDocument(documents, file + ":" + std::to_string(document.line),
                  std::move(*document.value));
    }
  }
  return documents;
}

}  // namespace whimbrel::kube
