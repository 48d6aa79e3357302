#include <string>

#include "fuzz/fuzz.h"
#include "unit/migration/archives.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/archive.h"

// Whatever is in an archive, its files stay within the source and within the limits; what is
// refused is refused with its origin; the same files packed by another hand are the same source.
namespace whimbrel::fuzz {
namespace {

using migration::Source;
using SourcePtr = std::shared_ptr<const Source>;

constexpr std::string_view kOrigin = "ConfigMap a/b, key c";
constexpr std::size_t kBlock = 512;

SourcePtr Read(std::string_view tar_gz) {
  migration::MemorySourceBuilder files;
  if (const Result<void> added = migration::AddArchive(tar_gz, kOrigin, files); !added) {
    const std::string& message = added.error().message;
    Require(added.error().kind == ErrorKind::kInvalidArgument, "bytes are what is wrong", message);
    Require(message.find(kOrigin) != std::string::npos, "an error names the archive", message);
    Require(message.find_first_of(std::string_view("\n\0", 2)) == std::string::npos,
            "an error is one line", message);
    return nullptr;
  }
  return std::move(files).Build();
}

/// A path that says nothing but where in the source a file is.
bool IsPlain(const std::string& path) {
  const std::string whole = "/" + path + "/";
  return path.find('\\') == std::string::npos && path.find('\0') == std::string::npos &&
         whole.find("//") == std::string::npos && whole.find("/.") == std::string::npos;
}

void RequireGoodFiles(const Source& source) {
  std::uint64_t bytes = 0;
  std::string tar;
  for (const migration::SourceFilePtr& file : source.files) {
    Require(IsPlain(file->path()), "a path stays within the source, and is not hidden",
            file->path());
    bytes += file->size();
    tar += migration::Tar({.path = "PaxHeaders",
                           .content = migration::PaxRecord("path", "./" + file->path()),
                           .type = 'x'});
    tar += migration::Tar({.path = "old", .content = *file->bytes()});
  }
  Require(bytes <= migration::kMaxArchiveBytes, "the limit holds");
  const SourcePtr again = Read(migration::Gzip(tar + migration::TarEnd(), 0));
  Require(again != nullptr && again->digest == source.digest, "packing it again changes nothing");
}

/// The input as an archive in which every sum is right, so that chance need not find it.
std::string WithSums(std::string_view input) {
  std::string tar;
  for (std::size_t at = 0; at < input.size(); at += kBlock) {
    std::string block(input.substr(at, kBlock));
    block.resize(kBlock);
    if (block.find_first_not_of('\0') != std::string::npos) migration::SetTarSum(block);
    tar += block;
  }
  return migration::Gzip(tar + migration::TarEnd(), 0);
}

}  // namespace

void Try(std::string_view input) {
  for (const SourcePtr& source : {Read(input), Read(WithSums(input))}) {
    if (source != nullptr) RequireGoodFiles(*source);
  }
}

}  // namespace whimbrel::fuzz
