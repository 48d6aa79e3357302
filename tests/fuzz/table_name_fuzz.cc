#include <string>

#include "fuzz/fuzz.h"
#include "whimbrel/history/tool_tables.h"

// A name that was understood, written with quotes, is understood as the same name.
namespace whimbrel::fuzz {
namespace {

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

void Try(std::string_view input) {
  const Result<history::TableName> name = history::ParseTableName(input);
  if (!name) return;
  const std::string quoted = (name->schema.empty() ? "" : Quoted(name->schema) + ".") +
                             Quoted(name->table) +
                             (name->column.empty() ? "" : "(" + Quoted(name->column) + ")");
  const Result<history::TableName> again = history::ParseTableName(quoted);
  Require(again && *again == *name, "the quoted name is the same name", quoted);
}

}  // namespace whimbrel::fuzz
