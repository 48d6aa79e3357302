#include "chaos/canaries.h"

#include <array>
#include <cstdio>

#include "chaos/points.h"

namespace whimbrel::chaos {
namespace {

struct Canary {
  const char* name;      ///< Of the patch.
  const char* scenario;  ///< Where it shows first; the others take as long, and longer.
  const char* way;
};

constexpr std::array<Canary, 3> kCanaries = {{
    {"claim_written_last", "ordinary", "killed before it gets the answer"},
    {"read_before_lock", "ordinary", "a second runner"},
    {"if_not_exists_trusted", "index if not exists", "while the server works on it"},
}};

}  // namespace

int RunCanaries(const std::string& folder, int workers) {
  int missed = 0;
  for (const Canary& canary : kCanaries) {
    const PointResult result = RunPoints({.binary = folder + "/" + canary.name,
                                          .workers = workers,
                                          .scenario = canary.scenario,
                                          .way = canary.way,
                                          .stop_at_finding = true,
                                          .quiet = true});
    // One that cannot even work would be found out by anything.
    const bool found = result.works && result.failed > 0;
    if (!found) ++missed;
    std::printf("%s: %s\n%s", canary.name, found ? "found out by" : "NOT FOUND OUT",
                result.first.c_str());
    std::fflush(stdout);
  }
  std::printf("%zu broken protocols, %d not found out\n", kCanaries.size(), missed);
  return missed;
}

}  // namespace whimbrel::chaos
