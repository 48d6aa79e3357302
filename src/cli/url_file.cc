#include "cli/url_file.h"

#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

namespace whimbrel::cli {

Result<Secret> ReadUrlFile(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Fail(ErrorKind::kNotFound, "cannot read --url-file " + path);
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  if (text.empty()) {
    return Fail(ErrorKind::kInvalidArgument,
                "--url-file " + path + " is empty: it must hold a connection URI");
  }
  return Secret(std::move(text));
}

}  // namespace whimbrel::cli
