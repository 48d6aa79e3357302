#pragma once

#include <zlib.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>

namespace whimbrel::migration {

/// One entry of an archive, written by hand: what no tool would write, too.
struct TarPart {
  std::string path;
  std::string content;
  char type = '0';
  std::string magic = std::string("ustar\0", 6) + "00";
  std::string prefix;
  std::string size;  ///< The 12 bytes of the field; empty: the size of the content, in octal.
};

/// The sum of a header block that has spaces where the sum will be.
inline void SetTarSum(std::string& block) {
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  std::array<char, 8> digits{};
  std::snprintf(digits.data(), digits.size(), "%06o", sum & 0777777U);
  block.replace(148, digits.size(), digits.data(), digits.size());
}

inline std::string Octal(std::uint64_t number) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%011llo",
                static_cast<unsigned long long>(number));  // NOLINT: what %llo takes.
  return std::string(digits.data()) + '\0';
}

/// Header and content in whole blocks.
inline std::string Tar(const TarPart& part) {
  std::string block(512, '\0');
  block.replace(0, part.path.size(), part.path);
  const std::string size = part.size.empty() ? Octal(part.content.size()) : part.size;
  block.replace(124, size.size(), size);
  block[156] = part.type;
  block.replace(257, part.magic.size(), part.magic);
  block.replace(345, part.prefix.size(), part.prefix);
  SetTarSum(block);
  block += part.content;
  block.resize((block.size() + 511) / 512 * 512);
  return block;
}

/// The two blocks that end an archive.
inline std::string TarEnd() { return std::string(1024, '\0'); }

/// One record of an extended header: its length counts itself.
inline std::string PaxRecord(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() > length) ++length;
  return std::to_string(length) + rest;
}

/// One gzip member. Throws std::runtime_error when zlib does not do it.
inline std::string Gzip(std::string_view bytes, int level = 6) {
  z_stream stream = {};
  if (deflateInit2(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string input(bytes);
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

}  // namespace whimbrel::migration
