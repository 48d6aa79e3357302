#pragma once

#include <cstddef>
#include <string>

#include "whimbrel/report/run_report.h"

namespace whimbrel::report {

/// What the kubelet keeps of a container's termination message (kubernetes/pkg/kubelet/container/
/// runtime.go, MaxContainerTerminationMessageLength). It shares 12 KiB among all containers of a
/// pod: with more than two others, injected ones included, it keeps less.
inline constexpr std::size_t kMaxTerminationMessageBytes = 4096;

/// The report as one line of JSON of at most `max_bytes` (at least kMaxTerminationMessageBytes),
/// which RunReportFromJson reads, the result and the failure first. What does not fit is given up
/// from the least useful on: the ends of the lists (pending, applied, notices) and of long texts;
/// counts are never wrong, texts are cut at the boundaries of UTF-8 characters. A message that is
/// not the whole report has `"truncated": true`. Pure.
[[nodiscard]] std::string TerminationMessage(const RunReport& report,
                                             std::size_t max_bytes = kMaxTerminationMessageBytes);

}  // namespace whimbrel::report
