#pragma once

/// The classes of <cctype> without its locale and without undefined behaviour for bytes above 127.
namespace whimbrel {

constexpr bool IsDigit(char c) { return '0' <= c && c <= '9'; }
constexpr char ToLower(char c) {
  return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool IsAlpha(char c) { return 'a' <= ToLower(c) && ToLower(c) <= 'z'; }
constexpr bool IsAlnum(char c) { return IsAlpha(c) || IsDigit(c); }
constexpr bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

}  // namespace whimbrel
