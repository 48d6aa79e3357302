#pragma once

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kube/http_transport.h"

namespace whimbrel::kube {

/// What a ScriptedTransport answers to one request.
struct ScriptedAnswer {
  int status = 200;  ///< 0: no answer at all, `error` says why.
  std::string body;
  std::optional<TransportError> error = std::nullopt;  ///< After the body.
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
};

/// Answers one request after the other from a script and keeps the requests. Thread-safe.
class ScriptedTransport final : public HttpTransport {
 public:
  /// Outlives the transport, which belongs to the client under test.
  struct Script {
    std::mutex mutex;
    std::deque<ScriptedAnswer> answers;
    std::vector<HttpRequest> requests;
  };

  explicit ScriptedTransport(Script& script) : script_(script) {}

  Result<void, TransportError> Exchange(const HttpRequest& request, HttpReceiver& receiver,
                                        std::stop_token stop) override {
    using Kind = TransportError::Kind;
    if (stop.stop_requested()) return tl::make_unexpected(TransportError{.kind = Kind::kCancelled});
    const std::lock_guard lock(script_.mutex);
    script_.requests.push_back(request);
    if (script_.answers.empty()) {
      return tl::make_unexpected(
          TransportError{.kind = Kind::kConnect, .message = "the script is over"});
    }
    const ScriptedAnswer answer = std::move(script_.answers.front());
    script_.answers.pop_front();
    if (answer.status != 0) {
      if (!receiver.OnHead({.status = answer.status, .retry_after = answer.retry_after}) ||
          (!answer.body.empty() && !receiver.OnBody(answer.body))) {
        return tl::make_unexpected(TransportError{.kind = Kind::kAbandoned, .answered = true});
      }
    }
    if (!answer.error) return {};
    TransportError error = *answer.error;
    error.answered = answer.status != 0;
    return tl::make_unexpected(std::move(error));
  }

 private:
  Script& script_;
};

}  // namespace whimbrel::kube
