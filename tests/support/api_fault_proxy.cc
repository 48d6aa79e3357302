#include "support/api_fault_proxy.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <csignal>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/loopback.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::testing {
namespace {

struct WholeRequest {
  ApiRequest request;
  httplib::Headers headers;
};

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The head of a request without its empty line.
std::optional<WholeRequest> ParseHead(std::string_view head) {
  WholeRequest whole;
  const std::size_t line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end) return std::nullopt;
  whole.request.method = line.substr(0, method_end);
  whole.request.target = line.substr(method_end + 1, target_end - method_end - 1);
  while (true) {
    const std::size_t begin = head.find('\n');
    if (begin == std::string_view::npos) return whole;
    head.remove_prefix(begin + 1);
    const std::string_view header = head.substr(0, head.find('\n'));
    const std::size_t colon = header.find(':');
    if (colon == std::string_view::npos) continue;
    whole.headers.emplace(std::string(header.substr(0, colon)),
                          std::string(Trim(header.substr(colon + 1))));
  }
}

// A client's connection, of which so many bytes more may be sent.
class Client {
 public:
  explicit Client(int fd) : fd_(fd) {}

  std::optional<WholeRequest> ReadRequest() {
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return std::nullopt;
    }
    std::optional<WholeRequest> whole = ParseHead(std::string_view(buffer_).substr(0, end));
    if (!whole) return std::nullopt;
    buffer_.erase(0, end + 4);
    const auto length = whole->headers.find("Content-Length");
    const std::size_t size = length == whole->headers.end() ? 0 : std::stoul(length->second);
    while (buffer_.size() < size) {
      if (!ReadMore()) return std::nullopt;
    }
    whole->request.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return whole;
  }

  void Allow(std::size_t bytes) { left_ = bytes; }

  /// False: the connection is to be closed.
  bool Write(std::string_view text) {
    const bool is_last = text.size() > left_;
    text = text.substr(0, left_);
    left_ -= text.size();
    while (!text.empty()) {
      const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return !is_last;
  }

  bool Answer(int status, const std::string& body, int retry_after_seconds = 0) {
    std::string text =
        "HTTP/1.1 " + std::to_string(status) + " -\r\n" +
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    if (retry_after_seconds > 0) {
      text += "Retry-After: " + std::to_string(retry_after_seconds) + "\r\n";
    }
    return Write(text + "\r\n" + body);
  }

 private:
  bool ReadMore() {
    std::array<char, 16'384> piece;
    const ssize_t size = ::recv(fd_, piece.data(), piece.size(), 0);
    if (size <= 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(size));
    return true;
  }

  const int fd_;
  std::string buffer_;
  std::size_t left_ = std::numeric_limits<std::size_t>::max();
};

std::string RefusalBody(int status) {
  const std::string reason = status == 409   ? "Conflict"
                             : status == 429 ? "TooManyRequests"
                                             : "InternalError";
  return R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":"on purpose","reason":")" +
         reason + R"(","code":)" + std::to_string(status) + "}";
}

}  // namespace

bool ApiRequest::IsWatch() const { return target.find("watch=1") != std::string::npos; }

bool ApiRequest::IsStatusWrite() const {
  return method != "GET" && target.substr(0, target.find('?')).ends_with("/status");
}

struct ApiFaultProxy::State {
  State(const ApiServer& api_server, Judge the_judge)
      : upstream_port(api_server.port()),
        token(api_server.admin_token()),
        judge(std::move(the_judge)) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that are gone.
    Listen();
    acceptor = std::thread([this] { Accept(); });
  }
  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    stopped.notify_all();
    ::shutdown(listener.get(), SHUT_RDWR);
    acceptor.join();
    CutAll();
    for (std::thread& thread : threads) thread.join();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  struct Connection {
    FileDescriptor fd;
    std::unique_ptr<httplib::SSLClient> upstream;
  };

  void Listen();
  void Accept();
  void CutAll();
  void Serve(Connection& connection);
  bool Exchange(Connection& connection, Client& client, const WholeRequest& whole);
  bool Forward(httplib::SSLClient& upstream, Client& client, const WholeRequest& whole) const;
  [[nodiscard]] httplib::Request Upstream(const WholeRequest& whole) const;

  const std::uint16_t upstream_port;
  const std::string token;
  const Judge judge;
  FileDescriptor listener;
  std::uint16_t port = 0;

  std::mutex mutex;
  std::condition_variable stopped;
  bool stopping = false;
  std::list<Connection> connections;
  std::vector<std::thread> threads;
  std::thread acceptor;
};

void ApiFaultProxy::State::Listen() {
  listener = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), any, size) != 0 || ::listen(listener.get(), SOMAXCONN) != 0 ||
      ::getsockname(listener.get(), any, &size) != 0) {
    throw std::runtime_error("the fault proxy cannot listen");
  }
  port = ntohs(address.sin_port);
}

void ApiFaultProxy::State::Accept() {
  while (true) {
    FileDescriptor fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd) return;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const std::lock_guard lock(mutex);
    Connection& connection = connections.emplace_back();
    connection.fd = std::move(fd);
    threads.emplace_back([this, &connection] { Serve(connection); });
  }
}

// Clients see a reset; an upstream that streams is stopped.
void ApiFaultProxy::State::CutAll() {
  const std::lock_guard lock(mutex);
  const linger now{.l_onoff = 1, .l_linger = 0};
  for (Connection& connection : connections) {
    if (!connection.fd) continue;
    ::setsockopt(connection.fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    ::shutdown(connection.fd.get(), SHUT_RDWR);
    if (connection.upstream) connection.upstream->stop();
  }
}

void ApiFaultProxy::State::Serve(Connection& connection) {
  auto upstream = std::make_unique<httplib::SSLClient>("127.0.0.1", upstream_port);
  upstream->enable_server_certificate_verification(false);
  upstream->set_keep_alive(true);
  upstream->set_tcp_nodelay(true);
  upstream->set_connection_timeout(5);
  upstream->set_read_timeout(400);  // Longer than a watch is silent.
  upstream->set_url_encode(false);
  int fd = -1;
  {
    const std::lock_guard lock(mutex);
    connection.upstream = std::move(upstream);
    fd = connection.fd.get();
  }
  Client client(fd);
  while (const std::optional<WholeRequest> whole = client.ReadRequest()) {
    if (!Exchange(connection, client, *whole)) break;
  }
  const std::lock_guard lock(mutex);
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  connection.fd.Reset();
  connection.upstream.reset();
}

bool ApiFaultProxy::State::Exchange(Connection& connection, Client& client,
                                    const WholeRequest& whole) {
  const ApiFault fault = judge(whole.request);
  {
    std::unique_lock lock(mutex);
    if (stopped.wait_for(lock, fault.delay, [this] { return stopping; })) return false;
  }
  client.Allow(fault.cut_after);
  if (fault.refuse_with != 0) {
    return client.Answer(fault.refuse_with, RefusalBody(fault.refuse_with),
                         fault.retry_after_seconds);
  }
  return Forward(*connection.upstream, client, whole);
}

httplib::Request ApiFaultProxy::State::Upstream(const WholeRequest& whole) const {
  httplib::Request request;
  request.method = whole.request.method;
  request.path = whole.request.target;
  request.body = whole.request.body;
  for (const char* name : {"Accept", "Content-Type", "User-Agent"}) {
    if (const auto it = whole.headers.find(name); it != whole.headers.end()) {
      request.set_header(name, it->second);
    }
  }
  request.set_header("Authorization", "Bearer " + token);
  return request;
}

bool ApiFaultProxy::State::Forward(httplib::SSLClient& upstream, Client& client,
                                   const WholeRequest& whole) const {
  httplib::Request request = Upstream(whole);
  const bool streams = whole.request.IsWatch();
  int status = 0;
  std::string body;
  request.response_handler = [&](const httplib::Response& response) {
    status = response.status;
    return !streams || client.Write("HTTP/1.1 " + std::to_string(status) +
                                    " -\r\nContent-Type: application/json\r\n"
                                    "Transfer-Encoding: chunked\r\n\r\n");
  };
  request.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    const std::string_view piece(data, size);
    if (!streams) {
      body.append(piece);
      return true;
    }
    std::array<char, 20> length;
    std::snprintf(length.data(), length.size(), "%zx\r\n", size);
    return client.Write(std::string(length.data()) + std::string(piece) + "\r\n");
  };
  const httplib::Result result = upstream.send(request);
  if (!result) return false;
  if (streams) return client.Write("0\r\n\r\n");
  return client.Answer(status == 0 ? result->status : status, body);
}

ApiFaultProxy::ApiFaultProxy(const ApiServer& server, Judge judge)
    : state_(std::make_unique<State>(server, std::move(judge))) {}
ApiFaultProxy::~ApiFaultProxy() = default;

std::string ApiFaultProxy::url() const {
  return "http://127.0.0.1:" + std::to_string(state_->port);
}

void ApiFaultProxy::Cut() { state_->CutAll(); }

}  // namespace whimbrel::testing
