#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace whimbrel::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format {
  kJson,  ///< One JSON object a line, keys as zap writes them (level, ts, logger, msg, …).
  kText,  ///< For people at a terminal.
};

/// One key with its value. Messages are constant; whatever varies is a field. String values are
/// escaped, redacted and cut at 4 KiB.
struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <std::integral Integer>
  Field(std::string_view k, Integer v) : key(k), value(static_cast<std::int64_t>(v)) {}
};
using Fields = std::initializer_list<Field>;

/// Sets what is written and how, for the whole process; to standard error. Call it before threads
/// start.
void Configure(Level level, Format format);
[[nodiscard]] bool Enabled(Level level);

/// Writes one line. Thread-safe; never throws; nothing is buffered.
void Write(Level level, std::string_view logger, std::string_view message, Fields fields = {});

inline void Debug(std::string_view logger, std::string_view message, Fields fields = {}) {
  if (Enabled(Level::kDebug)) Write(Level::kDebug, logger, message, fields);
}
inline void Info(std::string_view logger, std::string_view message, Fields fields = {}) {
  if (Enabled(Level::kInfo)) Write(Level::kInfo, logger, message, fields);
}
inline void Warning(std::string_view logger, std::string_view message, Fields fields = {}) {
  Write(Level::kWarning, logger, message, fields);
}
inline void Error(std::string_view logger, std::string_view message, Fields fields = {}) {
  Write(Level::kError, logger, message, fields);
}

/// The line as Write would write it, without the line end; for tests and other sinks.
[[nodiscard]] std::string FormatJsonLine(Level level, std::string_view timestamp,
                                         std::string_view logger, std::string_view message,
                                         Fields fields);

}  // namespace whimbrel::log
