#pragma once

#include <string>

namespace whimbrel::chaos {

struct PointOptions {
  std::string binary;    ///< The whimbrel to test.
  int stride = 1;        ///< Take every n-th point.
  int workers = 8;       ///< As those of RandomRunOptions.
  std::string scenario;  ///< Only this one; empty: all.
  std::string way;       ///< Only the ways to die whose names contain it.
  bool stop_at_finding = false;
  bool quiet = false;  ///< Says nothing but the last line.
};

struct PointResult {
  int points = 0;
  int failed = 0;
  bool works = true;  ///< What is tested does its work where nothing dies.
  std::string first;  ///< The first finding and where.
};

/// Every boundary of the protocol in turn: for each of a few fixed scenarios, one for each kind of
/// migration, and each request that an undisturbed run sends, every way to die there; each with its
/// recovery.
PointResult RunPoints(const PointOptions& options);

}  // namespace whimbrel::chaos
