#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "support/free_port.h"
#include "support/loopback.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::testing {
namespace {

FileDescriptor ListenOn(std::uint16_t port) {
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = Loopback(port);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd.get(), SOMAXCONN) != 0) {
    throw std::runtime_error("the proxy cannot listen on port " + std::to_string(port));
  }
  return fd;
}

FileDescriptor ConnectTo(std::uint16_t port) {
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fd.Reset();
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// What flows one way: read when nothing is waiting to be written.
struct Flow {
  std::string waiting;
  std::string held;        // What a callback kept back; it goes when this proxy next serves.
  bool ended = false;      // Nothing more will be read.
  bool shut_down = false;  // The receiver was told so.
};

struct Connection {
  int number = 0;
  FileDescriptor client;
  FileDescriptor server;
  Flow requests;
  Flow answers;
  bool cut_at_answer = false;
  bool reset_when_written = false;

  [[nodiscard]] bool finished() const { return requests.shut_down && answers.shut_down; }
};

// With a linger time of zero, close() sends a reset and not an orderly end.
void Reset(Connection& connection) {
  const linger now{1, 0};
  for (FileDescriptor* fd : {&connection.client, &connection.server}) {
    setsockopt(fd->get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd->Reset();
  }
}

// False when the connection broke.
bool Write(Flow& flow, int to) {
  while (!flow.waiting.empty()) {
    const ssize_t count =
        send(to, flow.waiting.data(), flow.waiting.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    flow.waiting.erase(0, static_cast<std::size_t>(count));
  }
  if (flow.ended && !flow.shut_down) {
    shutdown(to, SHUT_WR);
    flow.shut_down = true;
  }
  return true;
}

// nullopt when the connection broke, else the new piece.
std::optional<std::string> Read(Flow& flow, int from) {
  std::array<char, 65536> buffer{};
  const ssize_t count = recv(from, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0) {
    if (errno == EAGAIN || errno == EINTR) return "";
    return std::nullopt;
  }
  if (count == 0) flow.ended = true;
  return std::string(buffer.data(), static_cast<std::size_t>(count));
}

}  // namespace

struct TcpProxy::State {
  enum class Mode { kServe, kBlackHole, kRefuse };
  struct Trap {
    std::string pattern;
    bool hand_on = false;
  };

  explicit State(std::uint16_t target) : target_port(target), listener(ListenOn(port.number())) {
    thread = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
  }
  ~State() {
    thread.request_stop();
    Wake();
  }

  void Wake() const { eventfd_write(wake.get(), 1); }
  // Changes what the thread works by, and waits until it does so.
  void Change(const std::function<void()>& change);
  void Loop(const std::stop_token& stop);
  void ApplyChanges();
  [[nodiscard]] std::vector<pollfd> Interests();
  void Accept();
  void Serve(const std::vector<pollfd>& ready);
  bool PassRequests(Connection& connection);
  bool PassAnswers(Connection& connection);
  void HandOn(Connection& connection, bool to_server, std::string piece);

  const std::uint16_t target_port;
  const FreePort port;
  const FileDescriptor wake{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  mutable std::mutex mutex;
  std::condition_variable applied;
  Mode mode = Mode::kServe;
  bool cut = false;
  bool strand = false;
  std::optional<Trap> trap;
  std::function<void(std::string_view)> on_request;
  std::function<PieceFate(const PassingPiece&)> on_piece;
  int wanted_revision = 0;
  int applied_revision = 0;
  int accepted = 0;
  int open = 0;

  // Of the thread alone.
  FileDescriptor listener;
  std::list<Connection> connections;
  std::list<Connection> stranded;
  Mode current = Mode::kServe;

  std::jthread thread;  // Last: it ends before what it uses goes.
};

void TcpProxy::State::Change(const std::function<void()>& change) {
  std::unique_lock lock(mutex);
  change();
  const int revision = ++wanted_revision;
  Wake();
  if (std::this_thread::get_id() == thread.get_id()) return;
  applied.wait(lock, [&] { return applied_revision >= revision; });
}

void TcpProxy::State::ApplyChanges() {
  const std::lock_guard lock(mutex);
  if (std::exchange(cut, false)) {
    for (auto& connection : connections) Reset(connection);
    connections.clear();
  }
  if (std::exchange(strand, false)) stranded.splice(stranded.end(), connections);
  current = mode;
  if (current == Mode::kRefuse) {
    listener.Reset();
  } else if (!listener) {
    listener = ListenOn(port.number());
  }
  open = static_cast<int>(connections.size());
  applied_revision = wanted_revision;
  applied.notify_all();
}

void TcpProxy::State::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<pollfd> interests = Interests();
    if (poll(interests.data(), interests.size(), -1) < 0) continue;
    eventfd_t ignored = 0;
    eventfd_read(wake.get(), &ignored);
    if (current == Mode::kServe) {
      Serve(interests);
      if (interests[1].revents != 0) Accept();
    }
    ApplyChanges();
  }
}

// The eventfd, the listener, then client and server of each connection.
std::vector<pollfd> TcpProxy::State::Interests() {
  const bool serve = current == Mode::kServe;
  std::vector<pollfd> result{{wake.get(), POLLIN, 0}, {serve ? listener.get() : -1, POLLIN, 0}};
  const auto interest = [serve](const FileDescriptor& fd, const Flow& from, const Flow& to) {
    const bool read = !from.ended && from.waiting.empty() && from.held.empty();
    const bool write = !to.waiting.empty() || !to.held.empty();
    const int events = (read ? POLLIN : 0) | (write ? POLLOUT : 0);
    // Without an interest poll would still report a hang-up, again and again.
    return pollfd{serve && events != 0 ? fd.get() : -1, static_cast<std::int16_t>(events), 0};
  };
  for (const auto& connection : connections) {
    result.push_back(interest(connection.client, connection.requests, connection.answers));
    result.push_back(interest(connection.server, connection.answers, connection.requests));
  }
  return result;
}

void TcpProxy::State::Accept() {
  Connection connection;
  connection.client = FileDescriptor(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.client) return;
  connection.server = ConnectTo(target_port);
  const std::lock_guard lock(mutex);
  connection.number = ++accepted;
  if (connection.server) {
    connections.push_back(std::move(connection));
  } else {
    Reset(connection);
  }
}

void TcpProxy::State::Serve(const std::vector<pollfd>& ready) {
  std::size_t at = 2;
  for (auto connection = connections.begin(); connection != connections.end(); at += 2) {
    const bool from_client = (ready[at].revents & ~POLLOUT) != 0;
    const bool from_server = (ready[at + 1].revents & ~POLLOUT) != 0;
    for (Flow* flow : {&connection->requests, &connection->answers})
      flow->waiting += std::exchange(flow->held, "");
    const bool alive =
        (!from_client || PassRequests(*connection)) && (!from_server || PassAnswers(*connection)) &&
        Write(connection->requests, connection->server.get()) &&
        Write(connection->answers, connection->client.get()) && !connection->reset_when_written;
    if (!alive) Reset(*connection);
    connection =
        !alive || connection->finished() ? connections.erase(connection) : std::next(connection);
  }
}

void TcpProxy::State::HandOn(Connection& connection, bool to_server, std::string piece) {
  std::function<PieceFate(const PassingPiece&)> callback;
  {
    const std::lock_guard lock(mutex);
    callback = on_piece;
  }
  PieceFate fate;
  if (callback && !piece.empty())
    fate = callback({.connection = connection.number, .to_server = to_server, .bytes = piece});
  const std::size_t pass = std::min(fate.pass, piece.size());
  Flow& flow = to_server ? connection.requests : connection.answers;
  flow.held = piece.substr(pass);
  piece.resize(pass);
  flow.waiting += piece;
  connection.reset_when_written = fate.reset;
}

bool TcpProxy::State::PassRequests(Connection& connection) {
  auto piece = Read(connection.requests, connection.client.get());
  if (!piece) return false;
  std::function<void(std::string_view)> callback;
  {
    const std::lock_guard lock(mutex);
    callback = on_request;
  }
  if (callback && !piece->empty()) callback(*piece);
  {
    const std::lock_guard lock(mutex);
    if (trap && piece->find(trap->pattern) != std::string::npos) {
      connection.cut_at_answer = trap->hand_on;
      trap.reset();
      if (!connection.cut_at_answer) return false;
    }
  }
  HandOn(connection, true, *std::move(piece));
  return true;
}

bool TcpProxy::State::PassAnswers(Connection& connection) {
  auto piece = Read(connection.answers, connection.server.get());
  if (!piece || connection.cut_at_answer) return false;
  HandOn(connection, false, *std::move(piece));
  return true;
}

TcpProxy::TcpProxy(std::uint16_t target_port) : state_(std::make_unique<State>(target_port)) {}
TcpProxy::~TcpProxy() = default;

std::uint16_t TcpProxy::port() const { return state_->port.number(); }

void TcpProxy::Cut() {
  state_->Change([this] { state_->cut = true; });
}

void TcpProxy::BlackHole() {
  state_->Change([this] { state_->mode = State::Mode::kBlackHole; });
}

void TcpProxy::Strand() {
  state_->Change([this] { state_->strand = true; });
}

void TcpProxy::Refuse() {
  state_->Change([this] {
    state_->mode = State::Mode::kRefuse;
    state_->cut = true;
  });
}

void TcpProxy::Restore() {
  state_->Change([this] { state_->mode = State::Mode::kServe; });
}

void TcpProxy::CutAfterRequest(std::string pattern) {
  state_->Change([&] { state_->trap = {.pattern = std::move(pattern), .hand_on = true}; });
}

void TcpProxy::CutBeforeRequest(std::string pattern) {
  state_->Change([&] { state_->trap = {.pattern = std::move(pattern), .hand_on = false}; });
}

void TcpProxy::OnRequest(std::function<void(std::string_view)> callback) {
  state_->Change([&] { state_->on_request = std::move(callback); });
}

void TcpProxy::OnPiece(std::function<PieceFate(const PassingPiece&)> callback) {
  state_->Change([&] { state_->on_piece = std::move(callback); });
}

int TcpProxy::accepted() const {
  const std::lock_guard lock(state_->mutex);
  return state_->accepted;
}

int TcpProxy::open() const {
  const std::lock_guard lock(state_->mutex);
  return state_->open;
}

}  // namespace whimbrel::testing
