#include "whimbrel/base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cmath>
#include <memory>

#include "base/credential_words.h"
#include "whimbrel/base/clock.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::log {
namespace {

constexpr std::size_t kMaxValueBytes = 4096;

std::atomic<Format> g_format{Format::kJson};

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      break;
  }
  return spdlog::level::err;
}

/// zap's names.
std::string_view Name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warn";
    case Level::kError:
      break;
  }
  return "error";
}

/// Writes in the calling thread: an asynchronous queue would lose the lines that matter most, the
/// last ones. We make the whole line ourselves, since spdlog's patterns do not escape.
spdlog::logger& Sink() {
  static const auto logger = [] {
    auto made = std::make_unique<spdlog::logger>("whimbrel",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    return made;
  }();
  return *logger;
}

/// A control character as JSON writes it, for terminals too: a raw one could forge lines or move
/// the cursor.
void AppendControl(char c, std::string& out) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (IsControl(c)) {
      AppendControl(c, out);
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

/// The one way by which text that varies gets into a line.
std::string Clean(std::string_view text) { return TruncateUtf8(Redact(text), kMaxValueBytes); }

void AppendValue(const Field& field, std::string& out) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    AppendQuoted(NamesPassword(field.key) ? std::string(kRedacted) : Clean(*text), out);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    out += std::to_string(*integer);
  } else if (const auto* flag = std::get_if<bool>(&field.value)) {
    out += *flag ? "true" : "false";
  } else {
    const double number = std::get<double>(field.value);
    // JSON has no word for infinities and NaN.
    out += std::isfinite(number) ? fmt::format("{}", number) : fmt::format("\"{}\"", number);
  }
}

void AppendPair(const Field& field, std::string& out) {
  AppendQuoted(field.key, out);
  out += ':';
  AppendValue(field, out);
}

std::string FormatTextLine(Level level, std::string_view timestamp, std::string_view logger,
                           std::string_view message, Fields fields) {
  std::string out = fmt::format("{} {:<5} {}: ", timestamp, Name(level), logger);
  for (const char c : Clean(message)) {
    if (IsControl(c)) {
      AppendControl(c, out);
    } else {
      out += c;
    }
  }
  for (const Field& field : fields) {
    out += fmt::format(" {}=", field.key);
    AppendValue(field, out);
  }
  return out;
}

}  // namespace

void Configure(Level level, Format format) {
  g_format = format;
  Sink().set_level(ToSpdlog(level));
}

bool Enabled(Level level) { return Sink().should_log(ToSpdlog(level)); }

void Write(Level level, std::string_view logger, std::string_view message, Fields fields) {
  if (!Enabled(level)) return;
  try {
    const std::string timestamp = FormatRfc3339Micro(Clock::System().SystemNow());
    const auto format = g_format == Format::kJson ? &FormatJsonLine : &FormatTextLine;
    Sink().log(ToSpdlog(level),
               spdlog::string_view_t(format(level, timestamp, logger, message, fields)));
  } catch (...) {
    // Out of memory: a line that cannot be made must not end what it tells about.
  }
}

std::string FormatJsonLine(Level level, std::string_view timestamp, std::string_view logger,
                           std::string_view message, Fields fields) {
  std::string out = "{";
  AppendPair({"level", Name(level)}, out);
  for (const Field& field :
       {Field("ts", timestamp), Field("logger", logger), Field("msg", message)}) {
    out += ',';
    AppendPair(field, out);
  }
  for (const Field& field : fields) {
    out += ',';
    AppendPair(field, out);
  }
  out += '}';
  return out;
}

}  // namespace whimbrel::log
