#include "postgres/large_query.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace whimbrel::postgres {
namespace {

/// No more than a TLS record, since OpenSSL wants to see the same bytes again when it could not
/// write them all.
constexpr std::size_t kPiece = std::size_t{16} << 10;

/// Writes to the socket behind libpq's back.
class RawWriter {
 public:
  RawWriter(PGconn* conn, const std::function<bool(short)>& wait)
      : conn_(conn), tls_(static_cast<SSL*>(PQsslStruct(conn, "OpenSSL"))), wait_(wait) {}

  bool Write(std::string_view bytes) {
    while (!bytes.empty()) {
      short events = POLLOUT;
      const std::string_view piece = bytes.substr(0, kPiece);
      const std::ptrdiff_t written =
          tls_ != nullptr ? WriteTls(piece, events) : WritePlain(piece, events);
      if (written > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(written));
      } else if (events == 0 || !wait_(events)) {
        return false;
      }
    }
    return true;
  }

 private:
  /// Bytes written; else what to wait for, 0 when the session is broken.
  std::ptrdiff_t WritePlain(std::string_view piece, short& events) const {
    const ssize_t written = ::send(PQsocket(conn_), piece.data(), piece.size(), MSG_NOSIGNAL);
    const bool again = written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    if (written < 0 && !again) events = 0;
    return written;
  }

  std::ptrdiff_t WriteTls(std::string_view piece, short& events) const {
    ERR_clear_error();
    const int written = SSL_write(tls_, piece.data(), static_cast<int>(piece.size()));
    if (written > 0) return written;
    const int error = SSL_get_error(tls_, written);
    if (error == SSL_ERROR_WANT_READ) events = POLLIN;
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) events = 0;
    return 0;
  }

  PGconn* conn_;
  SSL* tls_;
  const std::function<bool(short)>& wait_;
};

/// The beginning of a Parse message for the unnamed statement (PostgreSQL documentation, Message
/// Formats): 'P', the length without that byte, the empty name.
std::string ParseHeader(std::size_t text_size) {
  const auto length = static_cast<std::uint32_t>(4 + 1 + text_size + 1 + 2);
  std::string header = "P";
  for (const int shift : {24, 16, 8, 0}) header += static_cast<char>((length >> shift) & 0xFFU);
  return header + '\0';
}

/// Its end: that of the text, and no types of parameters.
constexpr std::string_view kParseTail("\0\0\0", 3);

}  // namespace

bool CanSendLargeQuery(PGconn* conn) { return PQgssEncInUse(conn) == 0; }

bool SendLargeQuery(PGconn* conn, std::string_view sql,
                    const std::function<bool(short events)>& wait) {
  RawWriter writer(conn, wait);
  if (!writer.Write(ParseHeader(sql.size())) || !writer.Write(sql) || !writer.Write(kParseTail))
    return false;
  return PQsendQueryPrepared(conn, "", 0, nullptr, nullptr, nullptr, 0) == 1;
}

}  // namespace whimbrel::postgres
