#include "support/exposition.h"

#include <cmath>
#include <cstdlib>
#include <regex>
#include <sstream>

namespace whimbrel::testing {
namespace {

class Parser {
 public:
  Exposition Parse(std::string_view text) {
    if (!text.empty() && text.back() != '\n') Fault("the last line has no end");
    std::istringstream lines{std::string(text)};
    while (std::getline(lines, line_)) ParseLine();
    for (const auto& [series, buckets] : buckets_) CheckBuckets(series, buckets);
    return std::move(result_);
  }

 private:
  void Fault(const std::string& what) { result_.faults.push_back(what + ": " + line_); }

  void ParseLine() {
    static const std::regex help(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+))");
    static const std::regex type(R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))");
    std::smatch match;
    if (std::regex_match(line_, match, help)) {
      if (!result_.helps.emplace(match[1], match[2]).second) Fault("a second HELP");
    } else if (std::regex_match(line_, match, type)) {
      metric_ = match[1];
      if (!result_.types.emplace(match[1], match[2]).second) Fault("a second TYPE");
      if (!result_.helps.contains(metric_)) Fault("no HELP before TYPE");
    } else {
      ParseSample();
    }
  }

  void ParseSample() {
    static const std::regex sample(
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*",?)*\})? ([-+.0-9eE]+|[+-]?Inf|NaN))re");
    std::smatch match;
    if (!std::regex_match(line_, match, sample)) return Fault("not a sample");
    const std::string name = match[1];
    const std::string labels = match[2];
    const double value = std::strtod(match[3].str().c_str(), nullptr);
    if (!result_.samples.emplace(name + labels, value).second) Fault("a second sample");
    const bool histogram = result_.types[metric_] == "histogram";
    if (histogram && name == metric_ + "_bucket") return AddBucket(labels, value);
    if (histogram && name == metric_ + "_count") counts_[metric_ + labels] = value;
    const bool part = histogram && (name == metric_ + "_count" || name == metric_ + "_sum");
    if (name != metric_ && !part) Fault("a sample outside of its metric");
  }

  void AddBucket(std::string labels, double value) {
    static const std::regex le(R"re((,?)le="([^"]*)"(,?))re");
    std::smatch match;
    if (!std::regex_search(labels, match, le)) return Fault("a bucket without le");
    const double bound = std::strtod(match[2].str().c_str(), nullptr);
    const std::string between = match[1].length() > 0 && match[3].length() > 0 ? "," : "";
    labels = match.prefix().str() + between + match.suffix().str();
    if (labels == "{}") labels.clear();
    buckets_[metric_ + labels].emplace_back(bound, value);
  }

  void CheckBuckets(const std::string& series,
                    const std::vector<std::pair<double, double>>& buckets) {
    line_ = series;
    for (std::size_t i = 1; i < buckets.size(); ++i) {
      if (buckets[i - 1].first >= buckets[i].first) Fault("bounds do not grow");
      if (buckets[i - 1].second > buckets[i].second) Fault("buckets do not add up");
    }
    if (!std::isinf(buckets.back().first)) Fault("no bucket +Inf");
    const auto count = counts_.find(series);
    if (count == counts_.end() || count->second != buckets.back().second) {
      Fault("the last bucket is not the count");
    }
  }

  Exposition result_;
  std::string line_;
  std::string metric_;
  std::map<std::string, double> counts_;
  std::map<std::string, std::vector<std::pair<double, double>>> buckets_;
};

}  // namespace

Exposition ParseExposition(std::string_view text) { return Parser().Parse(text); }

}  // namespace whimbrel::testing
