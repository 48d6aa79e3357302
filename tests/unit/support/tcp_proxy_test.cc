#include "support/tcp_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/eventually.h"
#include "support/free_port.h"
#include "support/loopback.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::testing {
namespace {

// Answers each piece with "echo:" and the piece, and remembers what it got.
class EchoServer {
 public:
  EchoServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = Loopback(port_.number());
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_EQ(listen(listener_.get(), 10), 0);
    acceptor_ = std::jthread([this] { Accept(); });
  }
  ~EchoServer() { shutdown(listener_.get(), SHUT_RDWR); }

  [[nodiscard]] std::uint16_t port() const { return port_.number(); }
  [[nodiscard]] std::string received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  void Accept() {
    std::vector<std::jthread> threads;
    while (true) {
      FileDescriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      threads.emplace_back([this, fd = std::move(client)] { Echo(fd.get()); });
    }
  }
  void Echo(int fd) {
    std::array<char, 65536> buffer{};
    while (true) {
      const ssize_t count = recv(fd, buffer.data(), buffer.size(), 0);
      if (count <= 0) return;
      const std::string piece(buffer.data(), static_cast<std::size_t>(count));
      {
        const std::lock_guard lock(mutex_);
        received_ += piece;
      }
      const std::string answer = "echo:" + piece;
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }

  FreePort port_;
  FileDescriptor listener_;
  mutable std::mutex mutex_;
  std::string received_;
  std::jthread acceptor_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = Loopback(port);
    connected_ =
        connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  [[nodiscard]] bool connected() const { return connected_; }
  void Send(const std::string& text) const {
    send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  void EndSending() const { shutdown(fd_.get(), SHUT_WR); }
  // The next `size` bytes; "reset" or "end" when the connection was.
  [[nodiscard]] std::string Receive(std::size_t size) const {
    std::string result;
    std::array<char, 65536> buffer{};
    while (result.size() < size) {
      const ssize_t count = recv(fd_.get(), buffer.data(), size - result.size(), 0);
      if (count < 0) return errno == ECONNRESET ? "reset" : "error";
      if (count == 0) return "end";
      result.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return result;
  }
  // What has arrived, at least one byte; empty when the connection ended.
  [[nodiscard]] std::string ReceiveSome() const {
    std::array<char, 65536> buffer{};
    const ssize_t count = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }
  [[nodiscard]] bool HasSomethingToRead() const {
    pollfd fd{fd_.get(), POLLIN, 0};
    return poll(&fd, 1, 0) > 0;
  }

 private:
  FileDescriptor fd_;
  bool connected_ = false;
};

class TcpProxyTest : public ::testing::Test {
 protected:
  EchoServer server_;
  TcpProxy proxy_{server_.port()};
};

TEST_F(TcpProxyTest, HandsOnBothWays) {
  const Client client(proxy_.port());
  client.Send("hello");
  EXPECT_EQ(client.Receive(10), "echo:hello");
  EXPECT_EQ(proxy_.accepted(), 1);
  EXPECT_EQ(proxy_.open(), 1);
}

TEST_F(TcpProxyTest, HandsOnTheEndOfAConnection) {
  const Client client(proxy_.port());
  client.Send("hello");
  client.EndSending();
  EXPECT_EQ(client.Receive(10), "echo:hello");
  EXPECT_EQ(client.Receive(1), "end");
  EXPECT_TRUE(Eventually([&] { return proxy_.open() == 0; }));
}

TEST_F(TcpProxyTest, CutResetsPresentConnectionsAndServesNewOnes) {
  const Client client(proxy_.port());
  client.Send("a");
  EXPECT_EQ(client.Receive(6), "echo:a");
  proxy_.Cut();
  EXPECT_EQ(client.Receive(1), "reset");
  const Client next(proxy_.port());
  next.Send("b");
  EXPECT_EQ(next.Receive(6), "echo:b");
}

TEST_F(TcpProxyTest, BlackHoleHoldsEverythingBackUntilRestored) {
  const Client old(proxy_.port());
  old.Send("a");
  EXPECT_EQ(old.Receive(6), "echo:a");
  proxy_.BlackHole();
  old.Send("b");
  const Client young(proxy_.port());
  EXPECT_TRUE(young.connected());
  young.Send("c");
  EXPECT_FALSE(old.HasSomethingToRead());
  EXPECT_EQ(server_.received(), "a");
  proxy_.Restore();
  EXPECT_EQ(old.Receive(6), "echo:b");
  EXPECT_EQ(young.Receive(6), "echo:c");
}

TEST_F(TcpProxyTest, RefuseRefusesUntilRestored) {
  proxy_.Refuse();
  EXPECT_FALSE(Client(proxy_.port()).connected());
  proxy_.Restore();
  EXPECT_TRUE(Client(proxy_.port()).connected());
}

TEST_F(TcpProxyTest, CutAfterRequestLetsTheServerActAndTheClientGuess) {
  proxy_.CutAfterRequest("COMMIT");
  const Client client(proxy_.port());
  client.Send("BEGIN");
  EXPECT_EQ(client.Receive(10), "echo:BEGIN");
  client.Send("COMMIT");
  EXPECT_EQ(client.Receive(1), "reset");
  EXPECT_EQ(server_.received(), "BEGINCOMMIT");
  const Client next(proxy_.port());
  next.Send("COMMIT");
  EXPECT_EQ(next.Receive(11), "echo:COMMIT");
}

TEST_F(TcpProxyTest, CutBeforeRequestKeepsItFromTheServer) {
  proxy_.CutBeforeRequest("COMMIT");
  const Client client(proxy_.port());
  client.Send("COMMIT");
  EXPECT_EQ(client.Receive(1), "reset");
  EXPECT_EQ(server_.received(), "");
}

TEST_F(TcpProxyTest, ACallbackSeesEachPieceAndMayCut) {
  std::string seen;
  proxy_.OnRequest([&](std::string_view piece) {
    seen += piece;
    if (piece == "stop") proxy_.Cut();
  });
  const Client client(proxy_.port());
  client.Send("go");
  EXPECT_EQ(client.Receive(7), "echo:go");
  client.Send("stop");
  EXPECT_EQ(client.Receive(1), "reset");
  proxy_.OnRequest(nullptr);
  EXPECT_EQ(seen, "gostop");
}

TEST_F(TcpProxyTest, CarriesMoreThanAnyBufferHolds) {
  const Client client(proxy_.port());
  const std::string much(5000000, 'x');
  std::jthread sender([&] { client.Send(much); });
  std::size_t left = much.size();
  while (left > 0) {
    // Each piece comes back with a prefix of its own, so only the x are counted.
    const std::string piece = client.ReceiveSome();
    ASSERT_FALSE(piece.empty());
    left -= static_cast<std::size_t>(std::count(piece.begin(), piece.end(), 'x'));
  }
}

TEST(TcpProxyWithoutServerTest, ResetsAClientWhoseServerIsNotThere) {
  const FreePort nobody;
  TcpProxy proxy(nobody.number());
  const Client client(proxy.port());
  EXPECT_EQ(client.Receive(1), "reset");
}

TEST_F(TcpProxyTest, ACallbackLetsSomeBytesOfAnAnswerPassAndCuts) {
  proxy_.OnPiece([](const PassingPiece& piece) -> PieceFate {
    if (piece.to_server) return {};
    EXPECT_EQ(piece.connection, 1);
    EXPECT_EQ(piece.bytes, "echo:hello");
    return {.pass = 4, .reset = true};
  });
  const Client client(proxy_.port());
  client.Send("hello");
  EXPECT_EQ(client.Receive(4), "echo");
  EXPECT_EQ(client.Receive(1), "reset");
  EXPECT_EQ(server_.received(), "hello");
}

TEST_F(TcpProxyTest, WhatACallbackHeldBackInABlackHoleArrivesOnceRestored) {
  proxy_.OnPiece([&](const PassingPiece& piece) -> PieceFate {
    if (!piece.to_server) return {};
    proxy_.BlackHole();
    return {.pass = 2, .reset = false};
  });
  const Client client(proxy_.port());
  client.Send("hello");
  EXPECT_TRUE(Eventually([&] { return server_.received() == "he"; }));
  EXPECT_FALSE(client.HasSomethingToRead());
  proxy_.Restore();
  EXPECT_TRUE(Eventually([&] { return server_.received() == "hello"; }));
}

}  // namespace
}  // namespace whimbrel::testing
