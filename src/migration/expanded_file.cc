#include "migration/expanded_file.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "migration/text_position.h"

namespace whimbrel::migration {

/// Reads the parts one after the other, and each file once per reading.
class ExpandedFile::Stream final : public ByteSource {
 public:
  explicit Stream(const ExpandedFile& file) : file_(file) {}

  Result<std::string_view> Read() override {
    if (finished_) open_.erase(*std::exchange(finished_, std::nullopt));
    if (next_ == file_.parts_.size()) return std::string_view();
    const Part& part = file_.parts_[next_];
    if (part.own) {
      ++next_;
      return std::string_view(file_.own_text_).substr(part.begin, part.size);
    }
    return ReadPart(part);
  }

 private:
  struct OpenFile {
    std::unique_ptr<ByteSource> bytes;
    std::string_view rest;     ///< Of the piece read last.
    std::uint64_t offset = 0;  ///< Of `rest`.
  };

  Result<std::string_view> ReadPart(const Part& part) {
    const Reading& reading = file_.readings_[part.reading];
    OpenFile& file = open_[part.reading];
    if (file.bytes == nullptr) {
      Result<std::unique_ptr<ByteSource>> bytes = reading.file->Open();
      if (!bytes) return tl::make_unexpected(bytes.error());
      file.bytes = *std::move(bytes);
    }
    const std::uint64_t begin = part.begin + done_;
    while (file.offset + file.rest.size() <= begin) {
      file.offset += file.rest.size();
      Result<std::string_view> piece = file.bytes->Read();
      if (!piece) return piece;
      if (piece->empty()) {
        return Fail(ErrorKind::kSourceChanged,
                    reading.file->path() + " has become shorter while it was read");
      }
      file.rest = *piece;
    }
    file.rest.remove_prefix(begin - file.offset);
    file.offset = begin;
    const std::string_view piece = file.rest.substr(0, part.size - done_);
    done_ += piece.size();
    if (done_ == part.size) EndPart(reading, part);
    return piece;
  }

  void EndPart(const Reading& reading, const Part& part) {
    if (reading.last_part == next_) finished_ = part.reading;
    ++next_;
    done_ = 0;
  }

  const ExpandedFile& file_;
  std::size_t next_ = 0;                  ///< The part that is being read.
  std::uint64_t done_ = 0;                ///< Bytes of it that were given.
  std::map<std::size_t, OpenFile> open_;  ///< By reading: one for each level of inclusion.
  std::optional<std::size_t> finished_;   ///< Its last piece is still in use.
};

std::size_t ExpandedFile::AddReading(SourceFilePtr file) {
  readings_.push_back({.file = std::move(file)});
  return readings_.size() - 1;
}

void ExpandedFile::AppendPart(std::size_t reading, std::string_view text,
                              const SourcePosition& position) {
  Append({.from = {position.offset, position.line, position.column},
          .reading = reading,
          .begin = position.offset},
         text);
}

void ExpandedFile::AppendText(std::size_t reading, std::string_view text,
                              const SourcePosition& position) {
  Part part{.from = {position.offset, position.line, position.column},
            .reading = reading,
            .own = true,
            .begin = own_text_.size()};
  own_text_ += text;
  Append(part, text);
}

void ExpandedFile::Append(Part part, std::string_view text) {
  if (text.empty()) return;
  sum_.Update(text);
  Part* last = parts_.empty() ? nullptr : &parts_.back();
  const bool continues = last != nullptr && !part.own && !last->own &&
                         last->reading == part.reading && last->begin + last->size == part.begin;
  if (continues) {
    last->size += text.size();
  } else {
    part.at = end_;
    part.size = text.size();
    readings_[part.reading].last_part = parts_.size();
    parts_.push_back(part);
  }
  SourcePosition position{.line = end_.line, .column = end_.column};
  // As for any file, a byte order mark at the beginning takes no column.
  if (end_.offset > 0 || text != kByteOrderMark) AdvanceLine(position, text);
  end_ = {end_.offset + text.size(), position.line, position.column};
}

Result<std::unique_ptr<ByteSource>> ExpandedFile::Open() const {
  return std::make_unique<Stream>(*this);
}

SourcePosition ExpandedFile::Locate(const SourcePosition& position) const {
  if (position.line == 0 || parts_.empty()) return position;
  const std::tuple wanted(position.line, std::max(position.column, std::uint32_t{1}));
  const auto behind = std::upper_bound(parts_.begin() + 1, parts_.end(), wanted,
                                       [](const auto& place, const Part& part) {
                                         return place < std::tuple(part.at.line, part.at.column);
                                       });
  const Part& part = *std::prev(behind);
  SourcePosition located{.file = readings_[part.reading].file->path(),
                         .line = part.from.line,
                         .column = part.from.column,
                         .offset = part.from.offset};
  if (part.own) return located;
  located.line += position.line - part.at.line;
  // The position may be that of a whole line.
  if (position.line > part.at.line || position.column < part.at.column) {
    located.column = position.column;
  } else {
    located.column += position.column - part.at.column;
  }
  located.offset += position.offset - std::min(position.offset, part.at.offset);
  return located;
}

}  // namespace whimbrel::migration
