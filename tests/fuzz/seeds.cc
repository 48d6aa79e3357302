#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "unit/sql/corpus.h"

/// Writes each text of the splitter's table of cases as a file: inputs to begin with.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  std::size_t number = 0;
  for (const whimbrel::sql::SplitCase& row : whimbrel::sql::SplitCorpus()) {
    std::ofstream file(folder / ("case-" + std::to_string(++number)), std::ios::binary);
    file << row.input;
    if (!file.flush()) {
      std::fprintf(stderr, "fuzz_seeds: cannot write into %s\n", folder.c_str());
      return 1;
    }
  }
  return 0;
}
