#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace whimbrel::testing {

/// A TCP proxy on 127.0.0.1 that can be as unkind as a network: a test puts it before a server and
/// connects to port(). What a method says holds when it returns. Thread-safe.
class TcpProxy {
 public:
  explicit TcpProxy(std::uint16_t target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// Resets every connection of now, as a server that crashed would. New ones are served.
  void Cut();

  /// From now on nothing passes, on old and on new connections: a host that is gone, a firewall
  /// that drops. What was sent meanwhile arrives after Restore.
  void BlackHole();

  /// Resets every connection and listens no more (ECONNREFUSED) until Restore.
  void Refuse();

  /// Serves again.
  void Restore();

  /// When `pattern` next passes from a client to the server, within one piece of the stream: hands
  /// it on, waits for the server's answer, throws that away and resets the connection. So the
  /// server has done what it was told and the client cannot know (a COMMIT without an answer).
  /// Happens once.
  void CutAfterRequest(std::string pattern);

  /// When `pattern` next passes from a client to the server: resets both sides instead of handing
  /// it on. Happens once.
  void CutBeforeRequest(std::string pattern);

  /// Called on the proxy's thread with each piece from a client, before it is handed on. It may
  /// call this proxy's methods, which then take effect after it returns.
  void OnRequest(std::function<void(std::string_view)> callback);

  /// Connections accepted so far.
  [[nodiscard]] int accepted() const;
  /// Connections open now.
  [[nodiscard]] int open() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace whimbrel::testing
