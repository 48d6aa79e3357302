#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/base/hash.h"
#include "whimbrel/migration/source.h"

namespace whimbrel::migration {

/// A text that is put together of parts of files and of text of its own, when it is read. Keeps
/// nothing of the files in memory.
class ExpandedFile final : public SourceFile {
 public:
  /// `path` is that of the file which includes the others.
  explicit ExpandedFile(std::string path) : path_(std::move(path)) {}

  /// A reading of `file` from its beginning; its parts are appended in their order, between those
  /// of other readings. The same file may be read several times.
  std::size_t AddReading(SourceFilePtr file);
  /// Appends what a reading has at `position`.
  void AppendPart(std::size_t reading, std::string_view text, const SourcePosition& position);
  /// Appends text that no file has; `position` is what it is there for.
  void AppendText(std::size_t reading, std::string_view text, const SourcePosition& position);
  /// Bytes of such text.
  [[nodiscard]] std::uint64_t own_text_size() const { return own_text_.size(); }
  /// After the last part.
  void Finish() { sha256_ = sum_.FinishHex(); }

  const std::string& path() const override { return path_; }
  std::uint64_t size() const override { return end_.offset; }
  const std::string& sha256() const override { return sha256_; }
  Result<std::unique_ptr<ByteSource>> Open() const override;
  SourcePosition Locate(const SourcePosition& position) const override;

 private:
  class Stream;

  struct Place {
    std::uint64_t offset = 0;
    std::uint32_t line = 1;
    std::uint32_t column = 1;
  };
  struct Part {
    Place at;    ///< In the text.
    Place from;  ///< In the file.
    std::size_t reading = 0;
    bool own = false;  ///< Not the file's, but `own_text_`'s from `begin`.
    std::uint64_t begin = 0;
    std::uint64_t size = 0;
  };
  struct Reading {
    SourceFilePtr file;
    std::size_t last_part = 0;
  };

  void Append(Part part, std::string_view text);

  const std::string path_;
  std::vector<Reading> readings_;
  std::vector<Part> parts_;
  std::string own_text_;
  Place end_;
  Sha256 sum_;
  std::string sha256_;
};

}  // namespace whimbrel::migration
