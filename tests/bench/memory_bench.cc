// Peak memory (resident set) of `whimbrel run DIR` for the largest statement and the largest file
// that it takes: at most twice the largest statement and 32 MiB. Exits with 1 when it is more.

#include <cstdio>
#include <fstream>
#include <string>
#include <string_view>

#include "bench/measured_process.h"
#include "support/postgres_server.h"
#include "support/temp_dir.h"

namespace {

using whimbrel::testing::PgTarget;
using whimbrel::testing::SharedPostgres;
using whimbrel::testing::TempDir;

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Peak of the process in MiB.
double PeakOf(const TempDir& files, const PgTarget& target) {
  const TempDir url;
  const std::string folder = files.path().string();
  const std::string url_file = url.Write("url", target.Uri()).string();
  return whimbrel::bench::Measure({WHIMBREL_BINARY, "run", folder, "--url-file", url_file})
      .peak_mib;
}

struct Shape {
  const char* name;
  std::string_view begin;
  std::string_view unit;  ///< As often as there is room for it.
  std::string_view end;
  std::size_t size;       ///< Of the file, about.
  std::size_t statement;  ///< Of its largest statement.
};

void WriteFile(const TempDir& folder, const Shape& shape) {
  std::ofstream file(folder.Write("001_large.sql", shape.begin), std::ios::app | std::ios::binary);
  std::string block;
  while (block.size() < kMiB) block += shape.unit;
  std::size_t left = shape.size - shape.begin.size() - shape.end.size();
  for (; left >= block.size(); left -= block.size()) file << block;
  for (; left >= shape.unit.size(); left -= shape.unit.size()) file << shape.unit;
  file << shape.end;
}

}  // namespace

int main() {
  const std::string row = std::string(100'000, 'x') + "\n";
  const std::string values = "('" + std::string(100'000, 'x') + "'),\n";
  const Shape shapes[] = {
      {"INSERT of one value of 64 MiB", "CREATE TABLE t (a text);\nINSERT INTO t VALUES ('",
       "0123456789\n", "');\nSELECT 1;\n", 64 * kMiB, 64 * kMiB},
      {"INSERT of many rows, 64 MiB", "CREATE TABLE t (a text);\nINSERT INTO t VALUES\n", values,
       "('');\nSELECT 1;\n", 64 * kMiB, 64 * kMiB},
      {"COPY of 1 GiB", "CREATE TABLE t (a text);\nCOPY t FROM stdin;\n", row, "\\.\nSELECT 1;\n",
       1024 * kMiB, 0},
  };
  std::printf("%-32s %12s %12s\n", "peak of whimbrel run", "MiB", "allowed");
  bool within = true;
  for (const Shape& shape : shapes) {
    const TempDir folder;
    WriteFile(folder, shape);
    const double peak = PeakOf(folder, SharedPostgres().CreateDatabase());
    const double allowed = static_cast<double>(2 * shape.statement / kMiB + 32);
    std::printf("%-32s %12.1f %12.0f\n", shape.name, peak, allowed);
    within = within && peak <= allowed;
  }
  return within ? 0 : 1;
}
