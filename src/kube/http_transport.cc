#include "kube/http_transport.h"

#include <httplib.h>
#include <openssl/err.h>

#include <charconv>
#include <csignal>
#include <exception>
#include <mutex>
#include <vector>

#include "kube/interrupter.h"
#include "kube/tcp_connect.h"

namespace whimbrel::kube {
namespace {

using Kind = TransportError::Kind;

constexpr std::chrono::milliseconds kConnectTimeout{10'000};  // TCP; again for each wait of TLS.
constexpr std::chrono::milliseconds kIoTimeout{30'000};
constexpr std::chrono::seconds kMaxIdle{60};  // Below the 90 s after which kube-apiserver closes.
constexpr std::size_t kMaxIdleConnections = 8;

SteadyTime Now() { return Clock::System().SteadyNow(); }

std::string LastOpensslReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "the handshake was cut off" : reason;
}

// A client of the library that connects as we want it: cancellable, with a deadline and our socket
// options. The library resolves and connects under a lock that its own stop() waits for.
template <class Base>
class DiallingClient final : public Base {
 public:
  DiallingClient(const HttpTransportOptions& options, Interrupter* interrupter)
      : Base(options.server_name, options.server.port),
        options_(options),
        interrupter_(interrupter) {}

  [[nodiscard]] const std::string& connect_error() const { return connect_error_; }

 private:
  bool create_and_connect_socket(typename Base::Socket& socket, httplib::Error& error) override {
    const std::optional<Proxy>& proxy = options_.proxy;
    const SteadyTime deadline = Now() + kConnectTimeout;
    Result<FileDescriptor> connected =
        TcpConnect({.host = proxy ? proxy->host : options_.server.host,
                    .port = proxy ? proxy->port : options_.server.port,
                    .deadline = deadline,
                    .io_timeout = kIoTimeout},
                   *interrupter_);
    if (!connected) {
      return Refuse(&error,
                    (proxy ? "the proxy " + proxy->host + ": " : "") + connected.error().message);
    }
    if (proxy) {
      const Result<void> open = OpenTunnel(connected->get(), *proxy, options_.server.Authority(),
                                           deadline, *interrupter_);
      if (!open) return Refuse(&error, open.error().message);
    }
    socket.sock = connected->Release();
    return true;
  }

  bool Refuse(httplib::Error* error, std::string why) {
    *error = httplib::Error::Connection;
    connect_error_ = std::move(why);
    return false;
  }

  const HttpTransportOptions& options_;
  Interrupter* const interrupter_;
  std::string connect_error_;
};

std::optional<std::chrono::seconds> ParseRetryAfter(const std::string& text) {
  // The form with a date is allowed by RFC 9110, but no part of Kubernetes sends it.
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

HttpHead ReadHead(const httplib::Response& response) {
  HttpHead head{.status = response.status};
  if (response.has_header("Retry-After")) {
    head.retry_after = ParseRetryAfter(response.get_header_value("Retry-After"));
  }
  const auto [begin, end] = response.headers.equal_range("Warning");
  for (auto it = begin; it != end; ++it) head.warnings.push_back(it->second);
  return head;
}

// The library writes what it is given; a line break in it would be a header, or a request, of its
// own.
bool HasControlCharacter(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') return true;
  }
  return false;
}

bool IsWellFormed(const HttpRequest& request) {
  if (HasControlCharacter(request.target) || request.target.find(' ') != std::string::npos) {
    return false;
  }
  for (const auto& [name, value] : request.headers) {
    if (HasControlCharacter(name) || HasControlCharacter(value)) return false;
  }
  return true;
}

// One connection with its client; one exchange at a time.
class Connection {
 public:
  /// `tls` is null for a plain http:// server.
  Connection(const HttpTransportOptions& options, std::shared_ptr<const TlsContext> tls)
      : tls_(std::move(tls)) {
    if (tls_ == nullptr) {
      MakePlainClient(options);
    } else {
      MakeTlsClient(options);
    }
    client_->set_connection_timeout(kConnectTimeout);
    client_->set_write_timeout(kIoTimeout);
    client_->set_keep_alive(true);
    client_->set_url_encode(false);
    client_->set_decompress(false);
    client_->set_follow_location(false);
  }

  [[nodiscard]] bool IsOf(const std::shared_ptr<const TlsContext>& tls) const {
    return tls_ == tls;
  }

  // For the pool: the server did not close it, and probably will not in the next moment.
  [[nodiscard]] bool IsReusable(SteadyTime now) const {
    return client_->is_socket_open() && interrupter_.IsQuiet() && now - last_use_ < kMaxIdle;
  }

  Result<void, TransportError> Exchange(httplib::Request& request, const HttpRequest& original,
                                        HttpReceiver& receiver, const std::stop_token& stop) {
    reused_ = client_->is_socket_open();
    answered_ = abandoned_ = timed_out_ = false;
    deadline_ = Now() + original.timeout;
    client_->set_read_timeout(original.timeout);
    request.response_handler = [&](const httplib::Response& response) {
      answered_ = true;
      return Accept(receiver.OnHead(ReadHead(response)));
    };
    request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t,
                                   std::uint64_t) {
      return Accept(receiver.OnBody(std::string_view(data, size)));
    };
    ERR_clear_error();
    verify_error_.clear();
    httplib::Response response;
    httplib::Error error = httplib::Error::Success;
    const bool sent = Send(request, response, error, stop);
    last_use_ = Now();
    if (!sent) return tl::make_unexpected(Explain(error));
    // Without a body (204) the library does not call the response handler.
    if (!answered_ && !receiver.OnHead(ReadHead(response))) {
      return tl::make_unexpected(TransportError{.kind = Kind::kAbandoned, .answered = true});
    }
    return {};
  }

 private:
  void MakePlainClient(const HttpTransportOptions& options) {
    auto client = std::make_unique<DiallingClient<httplib::ClientImpl>>(options, &interrupter_);
    connect_error_ = &client->connect_error();
    client_ = std::move(client);
  }

  void MakeTlsClient(const HttpTransportOptions& options) {
    auto client = std::make_unique<DiallingClient<httplib::SSLClient>>(options, &interrupter_);
    connect_error_ = &client->connect_error();
    // Verification is OpenSSL's, by our context; the library's own would add the system's roots.
    client->enable_server_certificate_verification(false);
    usable_ = client->is_valid() && tls_->Configure(client->ssl_context(), &verify_error_);
    client_ = std::move(client);
  }

  bool Accept(bool wanted) {
    if (Now() > deadline_) timed_out_ = true;
    if (!wanted) abandoned_ = true;
    return wanted && !timed_out_ && !interrupter_.interrupted();
  }

  bool Send(httplib::Request& request, httplib::Response& response, httplib::Error& error,
            const std::stop_token& stop) {
    if (!usable_) {
      error = httplib::Error::SSLLoadingCerts;
      return false;
    }
    std::stop_callback on_stop(stop, [this] { interrupter_.Interrupt(); });
    try {
      return client_->send(request, response, error);
    } catch (const std::exception&) {
      // Only what a server made up on purpose brings the library to throw.
      error = httplib::Error::Unknown;
      return false;
    }
  }

  TransportError Explain(httplib::Error error) const {
    TransportError result{.reused_connection = reused_, .answered = answered_};
    if (interrupter_.interrupted()) {
      result.kind = Kind::kCancelled;
      result.message = "the request was cancelled";
    } else if (abandoned_) {
      result.kind = Kind::kAbandoned;
      result.message = "the answer was not read to its end";
    } else if (error == httplib::Error::Connection) {
      result.kind = Kind::kConnect;
      result.message = *connect_error_;
    } else if (error == httplib::Error::SSLConnection) {
      result.kind = Kind::kConnect;
      result.message =
          "cannot set up TLS: " + (verify_error_.empty() ? LastOpensslReason() : verify_error_);
    } else if (error == httplib::Error::SSLLoadingCerts) {
      result.kind = Kind::kConnect;
      result.message = "cannot set up TLS: OpenSSL refused the certificates or the server's name";
    } else if (timed_out_ || Now() >= deadline_) {
      result.kind = Kind::kTimeout;
      result.message = "no whole answer in time";
    } else {
      result.kind = Kind::kBroken;
      result.message = "the connection broke before the end of the answer";
    }
    return result;
  }

  const std::shared_ptr<const TlsContext> tls_;
  Interrupter interrupter_;
  std::string verify_error_;
  bool usable_ = true;
  std::unique_ptr<httplib::ClientImpl> client_;  // After what its callbacks refer to.
  const std::string* connect_error_ = nullptr;   // In client_.
  SteadyTime last_use_ = Now();

  // Of the exchange that goes on.
  SteadyTime deadline_;
  bool reused_ = false;
  bool answered_ = false;
  bool abandoned_ = false;
  bool timed_out_ = false;
};

class HttplibTransport final : public HttpTransport {
 public:
  explicit HttplibTransport(HttpTransportOptions options)
      : options_(std::move(options)),
        // Not the library's, which would be the name for TLS where that differs.
        host_header_(options_.server.Authority()) {}

  Result<void, TransportError> Exchange(const HttpRequest& request, HttpReceiver& receiver,
                                        std::stop_token stop) override {
    if (!IsWellFormed(request)) {
      return tl::make_unexpected(TransportError{
          .kind = Kind::kConnect, .message = "the request holds a control character; not sent"});
    }
    httplib::Request wire;
    wire.method = request.method;
    wire.path = options_.server.prefix + request.target;
    wire.body = request.body;
    wire.headers.emplace("Host", host_header_);
    for (const auto& [name, value] : request.headers) wire.headers.emplace(name, value);

    const std::shared_ptr<const TlsContext> tls = options_.tls ? options_.tls() : nullptr;
    std::unique_ptr<Connection> connection = request.own_connection ? nullptr : TakeIdle(tls);
    if (!connection) connection = std::make_unique<Connection>(options_, tls);
    auto result = connection->Exchange(wire, request, receiver, stop);
    if (result && !request.own_connection) KeepIdle(std::move(connection));
    return result;
  }

 private:
  std::unique_ptr<Connection> TakeIdle(const std::shared_ptr<const TlsContext>& tls) {
    std::vector<std::unique_ptr<Connection>> dead;  // Closed after the lock is released.
    std::lock_guard lock(mutex_);
    while (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      if (connection->IsOf(tls) && connection->IsReusable(Now())) return connection;
      dead.push_back(std::move(connection));
    }
    return nullptr;
  }

  void KeepIdle(std::unique_ptr<Connection> connection) {
    if (!connection->IsReusable(Now())) return;
    std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdleConnections) idle_.push_back(std::move(connection));
  }

  const HttpTransportOptions options_;
  const std::string host_header_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

void IgnoreSigpipe() {
  struct sigaction current {};
  if (::sigaction(SIGPIPE, nullptr, &current) != 0 || current.sa_handler != SIG_DFL) return;
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

std::unique_ptr<HttpTransport> NewHttpTransport(HttpTransportOptions options) {
  IgnoreSigpipe();
  if (options.server_name.empty()) options.server_name = options.server.host;
  return std::make_unique<HttplibTransport>(std::move(options));
}

}  // namespace whimbrel::kube
