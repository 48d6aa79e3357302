#include "serve/http_message.h"

#include <algorithm>
#include <charconv>

#include "whimbrel/base/ascii.h"

namespace whimbrel::serve {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Internal Server Error";
  }
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool HasControl(std::string_view text) { return std::ranges::any_of(text, IsControl); }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, &ToLower, &ToLower);
}

// tchar of RFC 9110 §5.6.2.
bool IsTokenCharacter(char c) {
  return IsAlnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Up to the separator, which is taken away with it; all of it where there is none.
std::string_view TakeUntil(std::string_view& text, std::string_view separator) {
  const std::size_t at = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + separator.size(), text.size()));
  return taken;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    if (text.front() != '%') {
      decoded += text.front();
      text.remove_prefix(1);
      continue;
    }
    unsigned char byte = 0;
    if (text.size() < 3) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + 3, byte, 16);
    if (error != std::errc() || end != text.data() + 3) return std::nullopt;
    decoded += static_cast<char>(byte);
    text.remove_prefix(3);
  }
  return decoded;
}

// The status to refuse the request with; 0: good.
int ReadRequestLine(std::string_view line, ParsedRequest& parsed) {
  const std::string_view method = TakeUntil(line, " ");
  std::string_view target = TakeUntil(line, " ");
  if (method.empty() || !std::ranges::all_of(method, IsTokenCharacter)) return 400;
  if (!line.starts_with("HTTP/")) return 400;
  if (line != "HTTP/1.1" && line != "HTTP/1.0") return 505;
  if (method != "GET" && method != "HEAD") return 405;
  parsed.head_only = method == "HEAD";
  if (!target.starts_with('/') || HasControl(target)) return 400;
  std::optional<std::string> path = PercentDecode(TakeUntil(target, "?"));
  if (!path || HasControl(*path)) return 400;
  parsed.request.path = *std::move(path);
  parsed.request.query = target;
  return 0;
}

int ReadHeader(std::string_view line, ParsedRequest& parsed) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return 400;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = Trim(line.substr(colon + 1));
  // This refuses folded lines and a space before the colon too (RFC 9112 §5).
  if (!std::ranges::all_of(name, IsTokenCharacter)) return 400;
  if (std::ranges::any_of(value, [](char c) { return IsControl(c) && c != '\t'; })) return 400;
  if (EqualsIgnoringCase(name, "Authorization")) {
    if (!parsed.request.authorization.empty()) return 400;
    parsed.request.authorization = Secret(std::string(value));
  }
  // Neither method has a body that would mean anything.
  if (EqualsIgnoringCase(name, "Transfer-Encoding")) return 413;
  if (EqualsIgnoringCase(name, "Content-Length") && value != "0") return 413;
  return 0;
}

}  // namespace

std::optional<ParsedRequest> ParseRequest(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() < kMaxRequestBytes) return std::nullopt;
    return ParsedRequest{.error = 431};
  }
  std::string_view head = bytes.substr(0, end);
  ParsedRequest parsed;
  parsed.error = ReadRequestLine(TakeUntil(head, kLineEnd), parsed);
  while (parsed.error == 0 && !head.empty()) {
    parsed.error = ReadHeader(TakeUntil(head, kLineEnd), parsed);
  }
  return parsed;
}

std::string FormatResponse(const Response& response, bool head_only) {
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
  text += ReasonPhrase(response.status);
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(kLineEnd).append(name).append(": ").append(value);
  };
  add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(response.body.size()));
  add("X-Content-Type-Options", "nosniff");
  add("Connection", "close");
  if (response.status == 405) add("Allow", "GET, HEAD");
  if (!response.www_authenticate.empty()) add("WWW-Authenticate", response.www_authenticate);
  text.append("\r\n\r\n");
  if (!head_only) text += response.body;
  return text;
}

Response PlainResponse(int status) {
  return {.status = status,
          .body = std::to_string(status) + " " + std::string(ReasonPhrase(status)) + "\n"};
}

}  // namespace whimbrel::serve
