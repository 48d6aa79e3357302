#include "cli/style.h"

#include <unistd.h>

#include <cstdlib>

namespace whimbrel::cli {

bool WantsColour(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace whimbrel::cli
