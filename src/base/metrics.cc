#include "whimbrel/base/metrics.h"

namespace whimbrel {
namespace {

class NullSink final : public MetricsSink {
 public:
  void Count(std::string_view, Labels, double) override {}
  void Gauge(std::string_view, Labels, double) override {}
  void Observe(std::string_view, Labels, double) override {}
  void Drop(std::string_view, Labels) override {}
};

}  // namespace

MetricsSink& MetricsSink::Null() {
  static NullSink sink;
  return sink;
}

}  // namespace whimbrel
