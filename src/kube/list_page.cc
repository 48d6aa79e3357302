#include "kube/list_page.h"

#include "kube/object_json.h"

namespace whimbrel::kube {
namespace {

constexpr std::size_t kMaxKey = 256;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

bool ListPage::Malformed() {
  malformed_ = true;
  return false;
}

bool ListPage::Feed(std::string_view bytes) {
  capture_from_ = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (!in_string_) {
      if (!Structural(c, bytes, i)) return false;
    } else if (c == '"' && !escaped_) {
      in_string_ = false;
    } else {
      escaped_ = c == '\\' && !escaped_;
      // With its escapes: no key that we look for has any.
      if (depth_ == 1 && last_string_.size() < kMaxKey) last_string_ += c;
    }
  }
  return !capturing_ || Capture(bytes.substr(capture_from_));
}

bool ListPage::Structural(char c, std::string_view bytes, std::size_t at) {
  if (depth_ == 0) {
    if (IsSpace(c)) return true;
    if (begun_ || c != '{') return Malformed();
    begun_ = true;
    depth_ = 1;
    return true;
  }
  switch (c) {
    case '"':
      in_string_ = true;
      if (depth_ == 1) last_string_.clear();
      return true;
    case ':':
      if (depth_ == 1) key_ = last_string_;
      return true;
    case '{':
    case '[':
      return Open(c, at);
    case '}':
    case ']':
      return Close(bytes, at);
    default:
      return true;
  }
}

bool ListPage::Open(char c, std::size_t at) {
  if (depth_ == 1 && c == '[' && key_ == "items") in_items_ = true;
  const bool is_item = depth_ == 2 && in_items_ && c == '{';
  const bool is_metadata = depth_ == 1 && c == '{' && key_ == "metadata";
  if (is_item || is_metadata) {
    capturing_ = true;
    capture_from_ = at;
    text_.clear();
  }
  ++depth_;
  return true;
}

bool ListPage::Close(std::string_view bytes, std::size_t at) {
  --depth_;
  if (depth_ == 1 && !capturing_) in_items_ = false;
  const int outer = in_items_ ? 2 : 1;
  if (!capturing_ || depth_ != outer) return true;
  capturing_ = false;
  if (!Capture(bytes.substr(capture_from_, at + 1 - capture_from_))) return false;
  if (in_items_) return on_item_(text_);
  metadata_ = std::move(text_);
  text_.clear();
  return true;
}

bool ListPage::Capture(std::string_view piece) {
  if (text_.size() + piece.size() > kMaxObjectBytes) return Malformed();
  text_.append(piece);
  return true;
}

}  // namespace whimbrel::kube
