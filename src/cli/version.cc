#include "cli/version.h"

namespace whimbrel::cli {

std::string Version() { return WHIMBREL_VERSION; }

std::string UserAgent() {
#if defined(__aarch64__)
  return "whimbrel/" WHIMBREL_VERSION " (linux/arm64)";
#else
  return "whimbrel/" WHIMBREL_VERSION " (linux/amd64)";
#endif
}

}  // namespace whimbrel::cli
