#include "kube/api_sender.h"

#include <optional>
#include <utility>

#include "kube/object_json.h"
#include "kube/retry_policy.h"
#include "kube/status_error.h"
#include "whimbrel/base/log.h"

namespace whimbrel::kube {
namespace {

constexpr std::size_t kMaxErrorBytes = std::size_t{64} << 10;
constexpr std::size_t kMaxLoggedWarnings = 256;
constexpr std::chrono::seconds kSlow{1};  // client-go's, for what it logs by default.

tl::unexpected<ApiError> Cancelled() {
  return tl::make_unexpected(
      ApiError{.reason = ApiErrorReason::kCancelled, .message = "the request was cancelled"});
}

// Gives a success to the consumer and keeps what explains a failure.
class AnswerReceiver final : public HttpReceiver {
 public:
  explicit AnswerReceiver(const ApiSender::Consumer& consumer) : consumer_(consumer) {}

  bool OnHead(const HttpHead& head) override {
    head_ = head;
    return true;
  }
  bool OnBody(std::string_view bytes) override {
    if (IsSuccess()) return consumer_(bytes);
    error_body_.append(bytes.substr(0, kMaxErrorBytes - error_body_.size()));
    return error_body_.size() < kMaxErrorBytes;
  }

  [[nodiscard]] bool IsSuccess() const { return head_.status >= 200 && head_.status < 300; }
  [[nodiscard]] bool HasFailed() const { return head_.status != 0 && !IsSuccess(); }
  [[nodiscard]] const HttpHead& head() const { return head_; }
  [[nodiscard]] const std::string& error_body() const { return error_body_; }

 private:
  const ApiSender::Consumer& consumer_;
  HttpHead head_;
  std::string error_body_;
};

}  // namespace

ApiSender::ApiSender(RestClientParts parts, const Clock& clock)
    : parts_(std::move(parts)),
      clock_(clock),
      limit_(parts_.options.qps, parts_.options.burst, clock.SteadyNow()) {}

// Anew for each attempt: it may have been rotated.
ApiResult<BearerToken> ApiSender::Token(const std::stop_token& stop) {
  if (!parts_.credentials) return BearerToken{};
  Result<BearerToken> token = parts_.credentials->Get(stop);
  if (token) return *std::move(token);
  if (stop.stop_requested()) return Cancelled();
  return tl::make_unexpected(ApiError{.reason = ApiErrorReason::kUnauthorized,
                                      .message = std::move(token.error().message)});
}

bool ApiSender::HasOtherThan(const BearerToken& refused, const std::stop_token& stop) {
  if (!parts_.credentials) return false;
  const ApiResult<BearerToken> now = Token(stop);
  return now && now->generation != refused.generation;
}

void ApiSender::AddHeaders(const BearerToken& token, HttpRequest* request) const {
  request->headers.emplace_back("User-Agent", parts_.options.user_agent);
  if (token.value.empty()) return;
  request->headers.emplace_back("Authorization", "Bearer " + std::string(token.value.Reveal()));
}

void ApiSender::CountRequest(const HttpRequest& request, int status, SteadyTime begin) const {
  MetricsSink& metrics = *parts_.options.metrics;
  const std::string code = status == 0 ? "<error>" : std::to_string(status);
  metrics.Count("rest_client_requests_total",
                {{"code", code}, {"method", request.method}, {"host", parts_.server}}, 1);
  if (request.own_connection) return;  // How long a watch lasts says nothing about the server.
  const std::chrono::duration<double> seconds = clock_.SteadyNow() - begin;
  metrics.Observe("rest_client_request_duration_seconds",
                  {{"verb", request.method}, {"host", parts_.server}}, seconds.count());
}

bool ApiSender::AwaitTurn(std::string_view verb, const std::stop_token& stop) {
  if (parts_.options.qps <= 0) return !stop.stop_requested();
  Duration wait{};
  {
    std::lock_guard lock(mutex_);
    wait = limit_.Reserve(clock_.SteadyNow());
  }
  const std::chrono::duration<double> seconds = wait;
  parts_.options.metrics->Observe("rest_client_rate_limiter_duration_seconds",
                                  {{"verb", verb}, {"host", parts_.server}}, seconds.count());
  if (wait > kSlow) {
    log::Info("kube", "waiting for the client's own limit of requests",
              {{"seconds", std::to_string(seconds.count())}});
  }
  return clock_.SleepFor(wait, stop);
}

void ApiSender::LogWarnings(const HttpHead& head) {
  for (const std::string& warning : head.warnings) {
    {
      std::lock_guard lock(mutex_);
      if (logged_warnings_.size() >= kMaxLoggedWarnings) return;
      if (!logged_warnings_.insert(warning).second) continue;
    }
    log::Info("kube", "the API server warns", {{"warning", warning}});
  }
}

Result<void, ApiSender::Failure> ApiSender::Attempt(const HttpRequest& request,
                                                    const BearerToken& token, int attempt,
                                                    const Consumer& consumer,
                                                    const std::stop_token& stop) {
  HttpRequest complete = request;
  AddHeaders(token, &complete);
  AnswerReceiver receiver(consumer);
  const SteadyTime begin = clock_.SteadyNow();
  const Result<void, TransportError> exchange =
      parts_.transport->Exchange(complete, receiver, stop);
  CountRequest(request, receiver.head().status, begin);
  LogWarnings(receiver.head());
  if (receiver.HasFailed()) {
    // Even when its body broke off: the status alone says enough.
    ApiError error = ErrorFromResponse(receiver.head(), receiver.error_body());
    if (error.reason == ApiErrorReason::kUnauthorized && parts_.credentials) {
      parts_.credentials->Refused(token);
    }
    const std::optional<Duration> retry = RetryAfterAnswer(attempt, request.method, error);
    return tl::make_unexpected(Failure{std::move(error), retry});
  }
  if (exchange) return {};
  if (exchange.error().kind == TransportError::Kind::kAbandoned) {
    return tl::make_unexpected(
        Failure{{.reason = ApiErrorReason::kMalformed,
                 .code = receiver.head().status,
                 .message = "the API server's answer is not what was asked for, or too large"}});
  }
  return tl::make_unexpected(
      Failure{ErrorFromTransport(exchange.error(), parts_.server),
              RetryAfterTransportError(attempt, request.method, exchange.error())});
}

ApiResult<void> ApiSender::Send(HttpRequest request, const Consumer& consumer,
                                std::stop_token stop) {
  // Watches are few and long; the limit is for what a bug could send by the thousand.
  if (!request.own_connection && !AwaitTurn(request.method, stop)) return Cancelled();
  const SteadyTime deadline = clock_.SteadyNow() + request.timeout;
  bool was_refused = false;
  for (int attempt = 0;; ++attempt) {
    const ApiResult<BearerToken> token = Token(stop);
    if (!token) return tl::make_unexpected(token.error());
    Result<void, Failure> result = Attempt(request, *token, attempt, consumer, stop);
    if (result) return {};
    Failure& failure = result.error();
    // Whoever watches has rules of its own for what comes next.
    if (request.own_connection) failure.retry.reset();
    if (failure.error.reason == ApiErrorReason::kUnauthorized && !was_refused) {
      was_refused = true;
      if (HasOtherThan(*token, stop)) failure.retry = Duration::zero();
    }
    if (!failure.retry || *failure.retry >= deadline - clock_.SteadyNow()) {
      return tl::make_unexpected(std::move(failure.error));
    }
    if (!clock_.SleepFor(*failure.retry, stop)) return Cancelled();
    request.timeout = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock_.SteadyNow());
  }
}

ApiResult<std::string> ApiSender::Fetch(HttpRequest request, std::stop_token stop) {
  std::string body;
  const Consumer append = [&body](std::string_view bytes) {
    body.append(bytes);
    return body.size() <= kMaxObjectBytes;
  };
  const ApiResult<void> sent = Send(std::move(request), append, std::move(stop));
  if (!sent) return tl::make_unexpected(sent.error());
  return body;
}

}  // namespace whimbrel::kube
