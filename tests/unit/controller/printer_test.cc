#include "whimbrel/controller/printer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace whimbrel::controller {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Printer, DurationsAreThoseOfKubectl) {
  const std::pair<seconds, const char*> cases[] = {
      {seconds(-5), "<invalid>"}, {seconds(0), "0s"},      {seconds(119), "119s"},
      {seconds(120), "2m"},       {seconds(190), "3m10s"}, {minutes(10) + seconds(5), "10m"},
      {minutes(179), "179m"},     {minutes(180), "3h"},    {minutes(190), "3h10m"},
      {hours(25), "25h"},         {hours(48), "2d"},       {hours(50), "2d2h"},
      {days(8) + hours(3), "8d"}, {days(729), "729d"},     {days(731), "2y1d"},
      {days(365 * 9), "9y"}};
  for (const auto& [duration, text] : cases) EXPECT_EQ(HumanDuration(duration), text);
}

TEST(Printer, ARowHasTheColumnsOfTheCrd) {
  const auto object = nlohmann::json::parse(R"({
    "metadata": {"name": "orders", "creationTimestamp": "2026-01-02T03:00:00Z"},
    "status": {"currentVersion": "7", "pendingCount": 0,
               "conditions": [{"type": "Ready", "status": "True", "reason": "UpToDate"}]}})");
  const SystemTime now = ParseRfc3339("2026-01-02T03:00:45Z").value();
  EXPECT_EQ(PrinterRow(object, now),
            (std::array<std::string, 6>{"orders", "True", "7", "0", "UpToDate", "45s"}));
}

TEST(Printer, WhatIsAbsentIsEmpty) {
  EXPECT_EQ(PrinterRow(nlohmann::json::object(), SystemTime()),
            (std::array<std::string, 6>{"", "", "", "", "", "<unknown>"}));
}

}  // namespace
}  // namespace whimbrel::controller
