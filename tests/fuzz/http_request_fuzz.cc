#include <string>

#include "fuzz/fuzz.h"
#include "serve/http_message.h"

// What is read of a request does not depend on the pieces in which it came, and what is let through
// can be put into a log line or an answer as it is.
namespace whimbrel::fuzz {
namespace {

using serve::ParsedRequest;
using serve::ParseRequest;

bool HasControl(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') return true;
  }
  return false;
}

void RequireSame(const ParsedRequest& whole, const ParsedRequest& piece) {
  Require(whole.error == piece.error && whole.head_only == piece.head_only, "the same verdict");
  Require(whole.request.path == piece.request.path, "the same path", piece.request.path);
  Require(whole.request.query == piece.request.query, "the same query", piece.request.query);
  Require(whole.request.authorization == piece.request.authorization, "the same authorization");
}

}  // namespace

void Try(std::string_view input) {
  input = input.substr(0, serve::kMaxRequestBytes);
  const std::optional<ParsedRequest> whole = ParseRequest(input);
  std::size_t needed = 0;
  while (needed <= input.size() && !ParseRequest(input.substr(0, needed))) ++needed;
  Require(whole.has_value() == (needed <= input.size()), "more bytes never take an answer back");
  if (!whole) {
    Require(input.size() < serve::kMaxRequestBytes, "a request that is too long is refused");
    return;
  }
  RequireSame(*whole, *ParseRequest(input.substr(0, needed)));
  if (whole->error != 0) return;
  Require(whole->request.path.starts_with('/'), "a path begins with a slash", whole->request.path);
  Require(!HasControl(whole->request.path), "a path is one line", whole->request.path);
  Require(!HasControl(whole->request.query), "a query is one line", whole->request.query);
  Require(!HasControl(whole->request.authorization.Reveal()), "a header is one line");
}

}  // namespace whimbrel::fuzz
