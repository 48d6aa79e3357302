#include "sql/transaction_control.h"

namespace whimbrel::sql {
namespace {

void AcceptNoiseWord(TokenReader& reader) {
  if (!reader.AcceptWord("work")) reader.AcceptWord("transaction");
}

TransactionControl ReadBegin(TokenReader& reader) {
  std::string_view modes = reader.Rest();
  const std::size_t end = modes.find_last_not_of(" \t\n\r\f\v");
  modes = modes.substr(0, end == std::string_view::npos ? 0 : end + 1);
  return {.verb = TransactionVerb::kBegin, .modes = std::string(modes)};
}

/// What follows COMMIT, END, ROLLBACK or ABORT.
TransactionControl ReadEnd(TokenReader& reader, TransactionVerb verb) {
  AcceptNoiseWord(reader);
  const bool chain = reader.AcceptWord("and") && reader.AcceptWord("chain");
  return {.verb = verb, .chain = chain};
}

TransactionControl ReadRollback(TokenReader& reader) {
  if (reader.AcceptWord("prepared")) return {.verb = TransactionVerb::kRollbackPrepared};
  AcceptNoiseWord(reader);
  if (reader.AcceptWord("to")) return {.verb = TransactionVerb::kRollbackTo};
  return ReadEnd(reader, TransactionVerb::kRollback);
}

}  // namespace

TransactionControl FindTransactionControl(TokenReader reader) {
  if (reader.AcceptWord("begin")) {
    AcceptNoiseWord(reader);
    return ReadBegin(reader);
  }
  if (reader.AcceptWord("start"))
    return reader.AcceptWord("transaction") ? ReadBegin(reader) : TransactionControl{};
  if (reader.AcceptWord("commit")) {
    if (reader.AcceptWord("prepared")) return {.verb = TransactionVerb::kCommitPrepared};
    return ReadEnd(reader, TransactionVerb::kCommit);
  }
  if (reader.AcceptWord("end")) return ReadEnd(reader, TransactionVerb::kCommit);
  if (reader.AcceptWord("rollback")) return ReadRollback(reader);
  if (reader.AcceptWord("abort")) return ReadEnd(reader, TransactionVerb::kRollback);
  if (reader.AcceptWord("savepoint")) return {.verb = TransactionVerb::kSavepoint};
  if (reader.AcceptWord("release")) return {.verb = TransactionVerb::kRelease};
  // PREPARE transaction AS … prepares a statement of that name.
  if (reader.AcceptWord("prepare") && reader.AcceptWord("transaction") &&
      reader.Peek().has_value() && reader.Peek()->kind == TokenKind::kString) {
    return {.verb = TransactionVerb::kPrepareTransaction};
  }
  return {};
}

}  // namespace whimbrel::sql
