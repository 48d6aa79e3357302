#include "chaos/plan.h"

#include <algorithm>

namespace whimbrel::chaos {
namespace {

using std::chrono::milliseconds;

class Planner {
 public:
  Planner(Dice& dice, int to_server, int to_client)
      : dice_(dice), to_server_(to_server), to_client_(to_client) {}

  Round MakeRound(int number);

 private:
  Place MakePlace(int round);
  Fault MakeFault(int round);
  std::optional<Fault> FaultOrNone(int percent, int round);

  Dice& dice_;
  const int to_server_;
  const int to_client_;
};

Place Planner::MakePlace(int round) {
  Place place{.to_server = dice_.Chance(50)};
  // Later rounds find less to do.
  const int messages = std::max(1, (place.to_server ? to_server_ : to_client_) / round);
  place.message = dice_.Between(1, messages);
  const int way = dice_.Below(10);
  place.part = way < 4 ? 0 : way < 6 ? 1 : dice_.Fraction();
  return place;
}

Fault Planner::MakeFault(int round) {
  // The server's end takes every run on it along and a second to mend; the others are cheap.
  Fault fault{.death = static_cast<Death>(dice_.Weighted({30, 10, 20, 4, 20, 8, 4})),
              .place = MakePlace(round)};
  const bool holds = fault.death == Death::kDelay;
  if (!holds && dice_.Chance(35))
    fault.later = milliseconds(dice_.Below(dice_.Chance(50) ? 6 : 50));
  switch (fault.death) {
    case Death::kFreeze:
      fault.lasts = milliseconds(dice_.Between(50, 600));
      fault.comes_back = dice_.Chance(40);
      // One that nobody wakes is ended by the server's timeouts and its successor's patience.
      fault.for_ever = dice_.Below(30) == 0;
      if (fault.for_ever) fault.comes_back = false;
      break;
    case Death::kPostmaster:
      fault.lasts = milliseconds(dice_.Between(20, 300));
      break;
    case Death::kBlackHole:
      fault.lasts = milliseconds(dice_.Between(20, 800));
      fault.comes_back = dice_.Chance(50);
      break;
    case Death::kDelay:
      fault.lasts = milliseconds(dice_.Between(20, 300));
      break;
    case Death::kKill:
    case Death::kTerminate:
    case Death::kCut:
      break;
  }
  return fault;
}

std::optional<Fault> Planner::FaultOrNone(int percent, int round) {
  if (!dice_.Chance(percent)) return std::nullopt;
  Fault fault = MakeFault(round);
  // What concerns all runners is the first one's.
  if (fault.death == Death::kPostmaster) fault.death = Death::kTerminate;
  fault.for_ever = false;
  return fault;
}

Round Planner::MakeRound(int number) {
  Round round;
  round.at_once.emplace_back(MakeFault(number));
  if (dice_.Chance(20)) round.at_once.push_back(FaultOrNone(50, number));
  if (dice_.Chance(5)) round.at_once.push_back(FaultOrNone(50, number));
  const bool frozen = round.at_once.front()->death == Death::kFreeze;
  if (frozen || dice_.Chance(30)) round.on_top.push_back(FaultOrNone(30, number));
  if (dice_.Chance(7)) round.on_top.push_back(FaultOrNone(30, number));
  return round;
}

std::string ToText(const std::vector<std::optional<Fault>>& runners) {
  std::string text;
  for (const auto& fault : runners)
    text += "      a runner: " + (fault ? fault->ToText() : "no fault") + "\n";
  return text;
}

}  // namespace

std::vector<Round> MakeRounds(Dice& dice, int to_server, int to_client) {
  Planner planner(dice, to_server, to_client);
  std::vector<Round> rounds;
  const int count = dice.Between(1, 3);
  for (int i = 1; i <= count; ++i) rounds.push_back(planner.MakeRound(i));
  return rounds;
}

std::string ToText(const std::vector<Round>& rounds) {
  std::string text;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    text += "    round " + std::to_string(i + 1) + ", together:\n" + ToText(rounds[i].at_once);
    if (!rounds[i].on_top.empty())
      text += "    on top, when the first one's fault was reached:\n" + ToText(rounds[i].on_top);
  }
  return text;
}

}  // namespace whimbrel::chaos
