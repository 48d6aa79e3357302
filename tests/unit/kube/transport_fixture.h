#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "kube/http_transport.h"
#include "socket_server.h"

namespace whimbrel::kube {

using Connection = SocketServer::Connection;

/// Keeps what comes.
class Collector : public HttpReceiver {
 public:
  bool OnHead(const HttpHead& new_head) override {
    head = new_head;
    return take_head;
  }
  bool OnBody(std::string_view bytes) override {
    body.append(bytes);
    if (on_bytes) on_bytes();
    return body.size() <= limit;
  }

  HttpHead head;
  std::string body;
  bool take_head = true;
  std::size_t limit = SIZE_MAX;
  std::function<void()> on_bytes;
};

inline ServerUrl UrlOf(const SocketServer& server) {
  return {.tls = false, .host = "127.0.0.1", .port = server.port()};
}

inline std::unique_ptr<HttpTransport> TransportTo(const SocketServer& server) {
  return NewHttpTransport({.server = UrlOf(server)});
}

inline std::string Answer(const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

/// One context for all connections.
inline std::function<std::shared_ptr<const TlsContext>()> Fixed(TlsContext context) {
  return [shared = std::make_shared<const TlsContext>(std::move(context))] { return shared; };
}

/// Answers every request of every connection with the same text.
inline SocketServer::Handler Always(std::string answer) {
  return [answer](Connection& connection) {
    while (connection.ReadRequest()) {
      if (!connection.Write(answer)) return;
    }
  };
}

inline Result<void, TransportError> Get(HttpTransport& transport, Collector& collector,
                                        std::stop_token stop = {}) {
  return transport.Exchange({.method = "GET", .target = "/x"}, collector, std::move(stop));
}

}  // namespace whimbrel::kube
