#include "whimbrel/serve/http_endpoint.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "serve/connection.h"
#include "serve/handler_pool.h"
#include "serve/listener.h"
#include "whimbrel/serve/tls_identity.h"

namespace whimbrel::serve {
namespace {

using std::chrono::steady_clock;

/// How long no connection is taken after the process ran out of descriptors.
constexpr std::chrono::milliseconds kAcceptPause{100};
/// So that a flood of connections does not keep those from moving that are there.
constexpr int kAcceptsAtOnce = 64;

// OpenSSL writes with write(2), which raises it for the calling thread.
void BlockSigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace

class HttpEndpoint::Impl {
 public:
  Impl(EndpointOptions options, Handler handler, FileDescriptor listener, FileDescriptor wake)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        wake_(std::move(wake)),
        pool_(std::make_unique<HandlerPool>(
            options_.handlers, std::move(handler),
            [this](std::uint64_t id, std::string response) { OnDone(id, std::move(response)); })),
        loop_([this](const std::stop_token& stop) { Loop(stop); }) {}
  ~Impl() { Stop(); }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void Stop();

 private:
  void Loop(const std::stop_token& stop);
  void Poll();
  [[nodiscard]] int PollTimeout() const;
  void Accept();
  void Take(FileDescriptor socket);
  void Move(std::uint64_t id, Connection& connection);
  bool PushOut();
  void TakeAnswers();
  void CloseLate();
  void OnDone(std::uint64_t id, std::string response);
  void Wake() { ::eventfd_write(wake_.get(), 1); }

  const EndpointOptions options_;
  FileDescriptor listener_;
  const FileDescriptor wake_;
  const std::uint16_t port_ = PortOf(listener_);

  // Of the loop's thread alone.
  std::map<std::uint64_t, Connection> connections_;  ///< Oldest first.
  std::uint64_t next_id_ = 0;
  SteadyTime accept_again_{};

  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::string>> answers_;

  std::mutex stop_mutex_;
  std::unique_ptr<HandlerPool> pool_;
  std::jthread loop_;
};

void HttpEndpoint::Impl::Stop() {
  const std::lock_guard lock(stop_mutex_);
  if (!loop_.joinable()) return;
  loop_.request_stop();
  Wake();
  loop_.join();
  pool_.reset();
}

void HttpEndpoint::Impl::Loop(const std::stop_token& stop) {
  BlockSigpipe();
  while (!stop.stop_requested()) {
    Poll();
    TakeAnswers();
    CloseLate();
  }
  connections_.clear();
  listener_ = FileDescriptor();
}

// One descriptor each for the wake-up, the port, and every connection that nobody handles.
void HttpEndpoint::Impl::Poll() {
  const bool accepting = steady_clock::now() >= accept_again_;
  std::vector<pollfd> set{{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                          {.fd = accepting ? listener_.get() : -1, .events = POLLIN, .revents = 0}};
  std::vector<std::uint64_t> ids;
  for (const auto& [id, connection] : connections_) {
    // One that is handled would report its client's end again and again.
    if (connection.handled()) continue;
    set.push_back({.fd = connection.fd(), .events = connection.events(), .revents = 0});
    ids.push_back(id);
  }
  if (::poll(set.data(), set.size(), PollTimeout()) <= 0) return;
  if (set[0].revents != 0) {
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (set[i + 2].revents != 0) Move(ids[i], connections_.at(ids[i]));
  }
  if (set[1].revents != 0) Accept();
}

int HttpEndpoint::Impl::PollTimeout() const {
  const SteadyTime now = steady_clock::now();
  SteadyTime next = accept_again_ > now ? accept_again_ : SteadyTime::max();
  for (const auto& [id, connection] : connections_) next = std::min(next, connection.deadline());
  if (next == SteadyTime::max()) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
  return static_cast<int>(std::max<std::int64_t>(wait, 0));
}

void HttpEndpoint::Impl::Accept() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    FileDescriptor socket(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket) {
      Take(std::move(socket));
      continue;
    }
    const bool exhausted =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (exhausted && !PushOut()) accept_again_ = steady_clock::now() + kAcceptPause;
    if (!exhausted && errno != EINTR && errno != ECONNABORTED) return;
  }
}

void HttpEndpoint::Impl::Take(FileDescriptor socket) {
  if (connections_.size() >= options_.max_connections && !PushOut()) return;
  std::unique_ptr<Stream> stream = options_.tls
                                       ? NewTlsStream(std::move(socket), options_.tls->Context())
                                       : NewPlainStream(std::move(socket));
  if (!stream) return;
  const std::uint64_t id = next_id_++;
  // At once: what a probe asks has mostly come with it, and is then never pushed out.
  Move(id, connections_.try_emplace(id, std::move(stream), options_.deadline).first->second);
}

void HttpEndpoint::Impl::Move(std::uint64_t id, Connection& connection) {
  if (std::optional<ParsedRequest> request = connection.Advance()) {
    pool_->Add(id, *std::move(request));
  }
  if (connection.closed()) connections_.erase(id);
}

// Closes the connection that has been silent for longest; false when all of them are handled.
bool HttpEndpoint::Impl::PushOut() {
  const auto oldest =
      std::ranges::find_if(connections_, [](const auto& entry) { return !entry.second.handled(); });
  if (oldest == connections_.end()) return false;
  connections_.erase(oldest);
  return true;
}

void HttpEndpoint::Impl::OnDone(std::uint64_t id, std::string response) {
  {
    const std::lock_guard lock(mutex_);
    answers_.emplace_back(id, std::move(response));
  }
  Wake();
}

void HttpEndpoint::Impl::TakeAnswers() {
  std::vector<std::pair<std::uint64_t, std::string>> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (auto& [id, response] : answers) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    found->second.Answer(std::move(response));
    if (found->second.closed()) connections_.erase(found);
  }
}

void HttpEndpoint::Impl::CloseLate() {
  const SteadyTime now = steady_clock::now();
  std::erase_if(connections_, [now](const auto& entry) { return entry.second.deadline() <= now; });
}

Result<std::unique_ptr<HttpEndpoint>> HttpEndpoint::Start(EndpointOptions options,
                                                          Handler handler) {
  Result<FileDescriptor> listener = Listen(options.address);
  if (!listener) return tl::make_unexpected(std::move(listener).error());
  FileDescriptor wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake) return Fail(ErrorKind::kUnavailable, "no file descriptors are left");
  return std::make_unique<HttpEndpoint>(std::make_unique<Impl>(
      std::move(options), std::move(handler), *std::move(listener), std::move(wake)));
}

HttpEndpoint::HttpEndpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpEndpoint::~HttpEndpoint() = default;
std::uint16_t HttpEndpoint::port() const { return impl_->port(); }
void HttpEndpoint::Stop() { impl_->Stop(); }

}  // namespace whimbrel::serve
