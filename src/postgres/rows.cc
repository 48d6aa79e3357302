#include "whimbrel/postgres/rows.h"

#include <libpq-fe.h>

#include <charconv>

namespace whimbrel::postgres {
namespace {

/// libpq takes a writable result for what it only reads.
PGresult* Readable(const PGresult* result) { return const_cast<PGresult*>(result); }

}  // namespace

std::size_t Rows::Row::size() const { return static_cast<std::size_t>(PQnfields(result_)); }

std::optional<std::string_view> Rows::Row::View(std::size_t column) const {
  const int row = static_cast<int>(index_);
  const int field = static_cast<int>(column);
  if (PQgetisnull(result_, row, field) != 0) return std::nullopt;  // Also what is not there.
  return std::string_view(PQgetvalue(result_, row, field),
                          static_cast<std::size_t>(PQgetlength(result_, row, field)));
}

std::optional<std::string> Rows::Row::operator[](std::size_t column) const {
  const std::optional<std::string_view> text = View(column);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::string Rows::command_tag() const {
  return result_ == nullptr ? "" : PQcmdStatus(Readable(result_.get()));
}

std::uint64_t Rows::affected() const {
  std::uint64_t count = 0;
  if (result_ == nullptr) return count;
  const std::string_view text = PQcmdTuples(Readable(result_.get()));
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace whimbrel::postgres
