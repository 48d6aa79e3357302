#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "whimbrel/serve/http_endpoint.h"

namespace whimbrel::serve {

/// A bearer token of a service account is about 1 KiB long.
inline constexpr std::size_t kMaxRequestBytes = 8192;

/// What came of the bytes of one request.
struct ParsedRequest {
  int error = 0;           ///< Status to refuse it with; 0: it is good.
  bool head_only = false;  ///< HEAD: the answer has no body.
  Request request;
};

/// Reads the head of one HTTP/1.x request (RFC 9112), strictly: what could be read in two ways is
/// refused. Nothing while more bytes are needed.
[[nodiscard]] std::optional<ParsedRequest> ParseRequest(std::string_view bytes);

/// The bytes of an answer, after which the connection is closed.
[[nodiscard]] std::string FormatResponse(const Response& response, bool head_only);

/// The answer that only names its status, as in `404 Not Found`.
[[nodiscard]] Response PlainResponse(int status);

}  // namespace whimbrel::serve
