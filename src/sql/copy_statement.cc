#include "sql/copy_statement.h"

#include "whimbrel/sql/token.h"

namespace whimbrel::sql {

CopyStream FindCopyStream(std::string_view statement, bool standard_conforming_strings) {
  TokenReader reader(statement, standard_conforming_strings);
  if (!reader.AcceptWord("copy")) return CopyStream::kNone;
  const bool query = reader.AcceptParentheses();
  if (!query) {
    reader.AcceptWord("binary");
    if (!reader.AcceptQualifiedName()) return CopyStream::kNone;
    reader.AcceptParentheses();
  }
  const bool from = !query && reader.AcceptWord("from");
  if (!from && !reader.AcceptWord("to")) return CopyStream::kNone;
  if (!reader.AcceptWord("stdin") && !reader.AcceptWord("stdout")) return CopyStream::kNone;
  return from ? CopyStream::kFromStdin : CopyStream::kToStdout;
}

}  // namespace whimbrel::sql
