#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/loopback.h"
#include "test_certificates.h"
#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::kube {

/// A server on 127.0.0.1 that does on each connection what a test says, byte by byte, with or
/// without TLS. Its threads end with it.
class SocketServer {
 public:
  struct TlsOptions {
    const TestIdentity* identity = nullptr;
    const TestIdentity* client_root =
        nullptr;          ///< Clients must have a certificate that leads here.
    int max_version = 0;  ///< 0: the newest.
  };

  /// One connection, on a thread of its own.
  class Connection {
   public:
    Connection(int fd, SSL* ssl) : fd_(fd), ssl_(ssl) {}

    /// Head and body of the next request; nullopt when the client has closed.
    std::optional<std::string> ReadRequest() {
      std::size_t end = std::string::npos;
      while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!ReadMore()) return std::nullopt;
      }
      std::size_t length = end + 4;
      const std::string name = "Content-Length: ";
      if (const std::size_t at = buffer_.find(name); at < end) {
        length += std::stoul(buffer_.substr(at + name.size()));
      }
      while (buffer_.size() < length) {
        if (!ReadMore()) return std::nullopt;
      }
      std::string request = buffer_.substr(0, length);
      buffer_.erase(0, length);
      return request;
    }

    bool Write(std::string_view text) {
      while (!text.empty()) {
        const auto written = ssl_ != nullptr
                                 ? SSL_write(ssl_, text.data(), static_cast<int>(text.size()))
                                 : ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (written <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
      }
      return true;
    }

    /// Whatever the client sends is thrown away until it closes.
    void AwaitEnd() {
      while (ReadMore()) buffer_.clear();
    }

    /// The connection will end by RST.
    void Reset() const {
      const linger now{.l_onoff = 1, .l_linger = 0};
      ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
      abrupt_ = true;
    }

    [[nodiscard]] bool abrupt() const { return abrupt_; }
    [[nodiscard]] int fd() const { return fd_; }
    /// The name that the client asked for, by SNI.
    [[nodiscard]] std::string server_name() const {
      const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
      return name == nullptr ? "" : name;
    }

   private:
    bool ReadMore() {
      char piece[4096];
      const auto size = ssl_ != nullptr ? SSL_read(ssl_, piece, sizeof(piece))
                                        : ::recv(fd_, piece, sizeof(piece), 0);
      if (size <= 0) return false;
      buffer_.append(piece, static_cast<std::size_t>(size));
      return true;
    }

    const int fd_;
    SSL* const ssl_;
    std::string buffer_;
    mutable bool abrupt_ = false;
  };
  /// Runs once for each connection, which is closed when it returns.
  using Handler = std::function<void(Connection&)>;

  explicit SocketServer(Handler handler) : SocketServer(std::move(handler), TlsOptions{}) {}
  SocketServer(Handler handler, const TlsOptions& tls) : handler_(std::move(handler)) {
    if (tls.identity != nullptr) MakeContext(tls);
    listener_ = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = testing::Loopback(0);
    socklen_t size = sizeof(address);
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), SOMAXCONN) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("the test server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  ~SocketServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const auto& fd : sockets_) ::shutdown(fd.get(), SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    SSL_CTX_free(context_);
  }

  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  void MakeContext(const TlsOptions& tls) {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, tls.identity->certificate.get());
    SSL_CTX_use_PrivateKey(context_, tls.identity->key.get());
    if (tls.max_version != 0) {
      SSL_CTX_set_security_level(context_, 0);
      SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
      SSL_CTX_set_max_proto_version(context_, tls.max_version);
    }
    if (tls.client_root != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), tls.client_root->certificate.get());
      SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
  }

  void Accept() {
    while (true) {
      FileDescriptor fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd) return;
      ++accepted_;
      const std::lock_guard lock(mutex_);
      sockets_.push_back(std::move(fd));
      FileDescriptor& socket = sockets_.back();
      threads_.emplace_back([this, &socket] { Serve(socket); });
    }
  }

  void Serve(FileDescriptor& socket) {
    SSL* ssl = nullptr;
    if (context_ != nullptr) {
      ssl = SSL_new(context_);
      SSL_set_fd(ssl, socket.get());
    }
    if (ssl == nullptr || SSL_accept(ssl) == 1) {
      Connection connection(socket.get(), ssl);
      handler_(connection);
      if (ssl != nullptr && !connection.abrupt()) SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    const std::lock_guard lock(mutex_);
    socket.Reset();
  }

  const Handler handler_;
  SSL_CTX* context_ = nullptr;
  FileDescriptor listener_;
  int port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::mutex mutex_;
  std::list<FileDescriptor> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace whimbrel::kube
