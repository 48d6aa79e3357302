#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace whimbrel::testing {

/// A piece of a stream that the proxy is about to hand on.
struct PassingPiece {
  int connection = 0;  ///< In the order of accepting, from 1.
  bool to_server = false;
  std::string_view bytes;
};

/// What becomes of a piece.
struct PieceFate {
  /// How many of its bytes are handed on at once. The rest follows when the proxy next serves:
  /// after Restore, where the callback called BlackHole.
  std::size_t pass = std::numeric_limits<std::size_t>::max();
  bool reset = false;  ///< After these bytes both sides are reset; the rest is lost.
};

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

  /// On the connections of now nothing ever passes again, and neither side is told: a firewall that
  /// forgot them. New ones are served.
  void Strand();

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

  /// Called on the proxy's thread with each piece of either direction; decides how far it gets. It
  /// may take its time, in which nothing passes, and may call this proxy's methods as OnRequest's
  /// callback may.
  void OnPiece(std::function<PieceFate(const PassingPiece&)> callback);

  /// Connections accepted so far.
  [[nodiscard]] int accepted() const;
  /// Connections open now.
  [[nodiscard]] int open() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace whimbrel::testing
