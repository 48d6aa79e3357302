#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "whimbrel/base/byte_source.h"
#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

struct TestFile {
  std::string path;
  std::string text;
};

/// A file that is not kept in memory, as a folder's, and is read in pieces of a size.
class ChunkedFile final : public SourceFile {
 public:
  /// `now` is what reading gives; the sum and the size are those of `text`.
  ChunkedFile(std::string path, const std::string& text, std::string now, std::size_t piece)
      : path_(std::move(path)),
        sha256_(Sha256Hex(text)),
        size_(text.size()),
        now_(std::move(now)),
        piece_(piece) {}

  const std::string& path() const override { return path_; }
  std::uint64_t size() const override { return size_; }
  const std::string& sha256() const override { return sha256_; }
  Result<std::unique_ptr<ByteSource>> Open() const override {
    return std::make_unique<Pieces>(now_, piece_);
  }

 private:
  class Pieces final : public ByteSource {
   public:
    Pieces(std::string_view text, std::size_t size) : rest_(text), size_(size) {}
    Result<std::string_view> Read() override {
      // Into a buffer of its own, so that a view kept too long shows (under ASan).
      piece_ = std::make_unique<std::string>(rest_.substr(0, size_));
      rest_.remove_prefix(piece_->size());
      return std::string_view(*piece_);
    }

   private:
    std::string_view rest_;
    const std::size_t size_;
    std::unique_ptr<std::string> piece_;
  };

  const std::string path_;
  const std::string sha256_;
  const std::uint64_t size_;
  const std::string now_;
  const std::size_t piece_;
};

/// As ConfigMaps and inline SQL give it.
inline std::shared_ptr<const Source> InMemory(const std::vector<TestFile>& files) {
  MemorySourceBuilder builder;
  for (const TestFile& file : files) {
    if (!builder.Add(file.path, file.text, "test")) return nullptr;
  }
  return std::move(builder).Build();
}

/// As a folder gives it, read in pieces of `piece` bytes. Without a digest.
inline std::shared_ptr<const Source> InPieces(const std::vector<TestFile>& files,
                                              std::size_t piece) {
  auto source = std::make_shared<Source>();
  for (const TestFile& file : files) {
    source->files.push_back(std::make_shared<ChunkedFile>(file.path, file.text, file.text, piece));
  }
  std::sort(source->files.begin(), source->files.end(),
            [](const auto& a, const auto& b) { return a->path() < b->path(); });
  return source;
}

/// Everything that a stream still gives, or `error: …`.
inline std::string ReadAll(Result<std::unique_ptr<ByteSource>> source) {
  if (!source) return "error: " + source.error().ToString();
  std::string text;
  for (;;) {
    const Result<std::string_view> piece = (*source)->Read();
    if (!piece) return "error: " + piece.error().ToString();
    if (piece->empty()) return text;
    text += *piece;
  }
}

}  // namespace whimbrel::migration
