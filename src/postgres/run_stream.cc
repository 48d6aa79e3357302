#include "postgres/run_stream.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <utility>

#include "postgres/server_error.h"
#include "whimbrel/postgres/sqlstate.h"

namespace whimbrel::postgres {
namespace {

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

/// Cuts the last word off a text and returns it in lower case.
std::string TakeLastWord(std::string_view* text) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  while (!text->empty() && !is_word(text->back())) text->remove_suffix(1);
  std::string word;
  while (!text->empty() && is_word(text->back())) {
    word += Lower(text->back());
    text->remove_suffix(1);
  }
  std::ranges::reverse(word);
  return word;
}

/// Sends one statement and throws away what it returns. Row by row, so that a result of any size
/// takes the memory of one row.
class StatementRun {
 public:
  StatementRun(Wire& wire, StatementStream& stream) : wire_(wire), stream_(stream) {}

  /// The cause of the failure, if any.
  std::optional<std::variant<PgError, Error>> Run(const StreamStatement& statement) {
    const bool in_transaction = wire_.transaction_status() == PQTRANS_INTRANS;
    if (auto refused = wire_.Begin(Wire::Effect::kOnTransaction)) {
      return *std::move(refused);
    }
    wire_.SendQuery(statement.text);
    if (wire_.usable()) PQsetSingleRowMode(wire_.conn());
    while (const ResultPtr result = wire_.Next()) Take(result.get(), statement);
    auto error = wire_.End(std::move(first_error_));
    if (source_error_) return *std::move(source_error_);
    if (error) return *std::move(error);
    if (statement.copy_from_stdin && !copied_) {
      if (auto failure = SkipCopyData()) return *std::move(failure);
    }
    if (in_transaction && Escaped(statement.text)) return EscapeError();
    return std::nullopt;
  }

 private:
  void Take(PGresult* result, const StreamStatement& statement) {
    switch (PQresultStatus(result)) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
        tag_ = PQcmdStatus(result);
        break;
      case PGRES_SINGLE_TUPLE:
      case PGRES_EMPTY_QUERY:
        break;
      case PGRES_COPY_IN:
        if (statement.copy_from_stdin) {
          CopyIn();
        } else {
          wire_.EndCopyIn("the file holds no data for this COPY");
        }
        break;
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        wire_.DrainCopyOut();
        break;
      default:
        if (!first_error_) first_error_ = ErrorFromResult(result);
        break;
    }
  }

  void CopyIn() {
    copied_ = true;
    while (true) {
      auto piece = stream_.NextCopyData();
      if (!piece) {
        source_error_ = std::move(piece).error();
        return wire_.EndCopyIn("the data could not be read");
      }
      if (piece->empty()) return wire_.EndCopyIn(std::nullopt);
      if (!wire_.PutCopyData(*piece)) return wire_.EndCopyIn("the copy was interrupted");
    }
  }

  /// The server took no data (a rule may do that to a COPY): the stream must get past it.
  std::optional<Error> SkipCopyData() {
    while (true) {
      auto piece = stream_.NextCopyData();
      if (!piece) return std::move(piece).error();
      if (piece->empty()) return std::nullopt;
    }
  }

  [[nodiscard]] bool Escaped(std::string_view text) const {
    return wire_.transaction_status() != PQTRANS_INTRANS || ChainsTransactions(tag_, text);
  }

  [[nodiscard]] PgError EscapeError() const {
    return PgError{
        .sql_state = std::string(kTransactionEscaped),
        .message = "the statement ended the transaction that the file runs in (it answered " +
                   tag_ + "): remove the transaction control from the file",
        .connection_usable = wire_.usable()};
  }

  Wire& wire_;
  StatementStream& stream_;
  std::string tag_;
  bool copied_ = false;
  std::optional<PgError> first_error_;
  std::optional<Error> source_error_;
};

/// Where the server saw the error, in the user's file.
SourcePosition ErrorPosition(const std::variant<PgError, Error>& cause,
                             const StreamStatement& statement) {
  if (const auto* error = std::get_if<Error>(&cause)) {
    return error->position.value_or(statement.position);
  }
  return MapPosition(statement.position, statement.text, std::get<PgError>(cause).position);
}

bool StandardConformingStrings(const Wire& wire) {
  const char* value = PQparameterStatus(wire.conn(), "standard_conforming_strings");
  return value == nullptr || std::string_view(value) != "off";
}

}  // namespace

bool ChainsTransactions(std::string_view tag, std::string_view statement) {
  if (tag == "COMMIT") return true;
  if (tag != "ROLLBACK") return false;
  return TakeLastWord(&statement) == "chain" && TakeLastWord(&statement) == "and";
}

Result<std::uint64_t, StreamError> RunStream(Wire& wire, StatementStream& stream) {
  std::uint64_t done = 0;
  while (true) {
    auto next = stream.Next();
    if (!next) {
      SourcePosition position = next.error().position.value_or(SourcePosition{});
      return tl::make_unexpected(StreamError{.cause = std::move(next).error(),
                                             .position = std::move(position),
                                             .statements_done = done});
    }
    if (!*next) return done;
    const StreamStatement& statement = **next;
    const auto sent = std::chrono::steady_clock::now();
    if (auto cause = StatementRun(wire, stream).Run(statement)) {
      SourcePosition position = ErrorPosition(*cause, statement);
      return tl::make_unexpected(
          StreamError{.cause = *std::move(cause),
                      .statement = statement.position,
                      .position = std::move(position),
                      .statements_done = done,
                      .statement_ran = std::chrono::steady_clock::now() - sent});
    }
    ++done;
    if (statement.barrier_before) {
      stream.OnStandardConformingStrings(StandardConformingStrings(wire));
    }
  }
}

}  // namespace whimbrel::postgres
