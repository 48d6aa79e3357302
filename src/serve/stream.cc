#include "serve/stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

#include "whimbrel/base/c_ptr.h"

namespace whimbrel::serve {
namespace {

using Outcome = Transfer::Outcome;

class PlainStream final : public Stream {
 public:
  explicit PlainStream(FileDescriptor socket) : socket_(std::move(socket)) {}

  Transfer Read(std::span<char> buffer) override {
    return Moved(::recv(socket_.get(), buffer.data(), buffer.size(), 0), Outcome::kWantRead);
  }
  Transfer Write(std::string_view bytes) override {
    return Moved(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                 Outcome::kWantWrite);
  }
  void EndWrite() override { ::shutdown(socket_.get(), SHUT_WR); }
  [[nodiscard]] int fd() const override { return socket_.get(); }

 private:
  static Transfer Moved(ssize_t count, Outcome otherwise) {
    if (count > 0) return {Outcome::kMoved, static_cast<std::size_t>(count)};
    const bool later = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {later ? otherwise : Outcome::kClosed};
  }

  FileDescriptor socket_;
};

using SslPtr = CPtr<SSL, SSL_free>;

class TlsStream final : public Stream {
 public:
  TlsStream(FileDescriptor socket, SslPtr ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {}

  Transfer Read(std::span<char> buffer) override {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
    return Moved(result, count);
  }
  Transfer Write(std::string_view bytes) override {
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
    return Moved(result, count);
  }
  void EndWrite() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    ::shutdown(socket_.get(), SHUT_WR);
  }
  [[nodiscard]] int fd() const override { return socket_.get(); }

 private:
  Transfer Moved(int result, std::size_t count) {
    if (result == 1) return {Outcome::kMoved, count};
    const int error = SSL_get_error(ssl_.get(), result);
    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ) return {Outcome::kWantRead};
    if (error == SSL_ERROR_WANT_WRITE) return {Outcome::kWantWrite};
    return {Outcome::kClosed};
  }

  FileDescriptor socket_;
  SslPtr ssl_;
};

}  // namespace

std::unique_ptr<Stream> NewPlainStream(FileDescriptor socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<Stream> NewTlsStream(FileDescriptor socket,
                                     const std::shared_ptr<ssl_ctx_st>& context) {
  SslPtr ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), socket.get()) != 1) return nullptr;
  SSL_set_mode(ssl.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(socket), std::move(ssl));
}

}  // namespace whimbrel::serve
