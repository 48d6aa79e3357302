#include "chaos/fault.h"

#include <array>
#include <cstdio>

namespace whimbrel::chaos {

const char* ToText(Death death) {
  switch (death) {
    case Death::kKill:
      return "SIGKILL of the runner";
    case Death::kFreeze:
      return "SIGSTOP of the runner";
    case Death::kTerminate:
      return "termination of its sessions";
    case Death::kPostmaster:
      return "SIGKILL of the server";
    case Death::kCut:
      return "TCP cut";
    case Death::kBlackHole:
      return "black hole";
    case Death::kDelay:
      return "delay";
  }
  return "";
}

std::string Fault::ToText() const {
  std::array<char, 32> part{};
  std::snprintf(part.data(), part.size(), "%.0f %%", place.part * 100);
  std::string text = std::string(chaos::ToText(death)) + " at " +
                     (place.answer ? "the answer to " : "") + "message " +
                     std::to_string(place.message) +
                     (place.to_server ? " to the server" : " to the client");
  if (!place.answer) text += std::string(", of which ") + part.data() + " pass";
  if (later) text += ", " + std::to_string(later->count()) + " ms later";
  if (lasts.count() > 0) text += ", for " + std::to_string(lasts.count()) + " ms";
  if (for_ever) text += ", until the others are done";
  if (comes_back) text += ", then as before";
  return text;
}

}  // namespace whimbrel::chaos
