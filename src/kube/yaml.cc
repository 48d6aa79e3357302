#include "whimbrel/kube/yaml.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "kube/yaml_builder.h"
#include "whimbrel/base/utf8.h"

namespace whimbrel::kube {
namespace {

using Problem = YamlBuilder::Problem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Turns yaml-cpp's 0-based line and byte column into what an editor shows.
tl::unexpected<Error> ErrorAt(std::string_view text, const std::string& file,
                              const Problem& problem) {
  SourcePosition where{.file = file};
  std::size_t line_start = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  for (int line = 0; line < problem.line; ++line) {
    const std::size_t end = text.find('\n', line_start);
    if (end == std::string_view::npos) break;
    line_start = end + 1;
  }
  const auto bytes = static_cast<std::size_t>(std::max(problem.column, 0));
  const std::string_view before = text.substr(line_start, bytes);
  if (problem.line >= 0) {
    where.line = static_cast<std::uint32_t>(problem.line) + 1;
    where.column = static_cast<std::uint32_t>(CountUtf8Characters(before)) + 1;
    where.offset = line_start + before.size();
  }
  std::string message = "not valid YAML: " + problem.message;
  if (before.substr(0, before.find_first_not_of(" \t")).find('\t') != std::string_view::npos) {
    message += " (this line is indented with a tab; use spaces)";
  }
  return Fail(ErrorKind::kInvalidArgument, std::move(message), std::move(where));
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

/// What must be looked at before yaml-cpp is: it passes malformed UTF-8 on, and takes a U+0004 for
/// the end of the file.
std::optional<Problem> FindForbiddenByte(std::string_view text) {
  const std::size_t invalid = FindInvalidUtf8(text);
  const auto control = std::find_if(text.begin(), text.end(), IsControl);
  const auto at = std::min(invalid, static_cast<std::size_t>(control - text.begin()));
  if (at >= text.size()) return std::nullopt;
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0: the first line.
  return Problem{.message = at == invalid
                                ? "bytes that are not UTF-8; save the file as UTF-8"
                                : "a control character, which YAML does not allow in plain text",
                 .line = static_cast<int>(std::count(before.begin(), before.end(), '\n')),
                 .column = static_cast<int>(at - line_start)};
}

}  // namespace

Result<std::vector<YamlDocument>> ParseYaml(std::string_view text, const std::string& file) {
  if (text.size() > kMaxYamlBytes) {
    return Fail(
        ErrorKind::kInvalidArgument,
        "larger than " + std::to_string(kMaxYamlBytes >> 20) + " MiB; split it into several files",
        SourcePosition{.file = file});
  }
  if (const auto problem = FindForbiddenByte(text)) return ErrorAt(text, file, *problem);
  std::istringstream stream{std::string(text)};
  YamlBuilder builder;
  std::vector<YamlDocument> documents;
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
      if (builder.problem()) return ErrorAt(text, file, *builder.problem());
      YamlDocument& document = documents.emplace_back();
      document.value = std::make_unique<nlohmann::json>(builder.TakeDocument());
      document.line = static_cast<std::uint32_t>(builder.document_line()) + 1;
    }
  } catch (const YAML::Exception& error) {
    // What the builder found stands before what the parser stumbled over afterwards.
    if (builder.problem()) return ErrorAt(text, file, *builder.problem());
    const Problem problem{
        .message = error.msg, .line = error.mark.line, .column = error.mark.column};
    return ErrorAt(text, file, problem);
  }
  return documents;
}

}  // namespace whimbrel::kube
