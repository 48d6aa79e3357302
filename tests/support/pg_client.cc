#include "support/pg_client.h"

#include <libpq-fe.h>

#include <stdexcept>
#include <utility>

#include "whimbrel/base/c_ptr.h"

namespace whimbrel::testing {
namespace {

using ResultPtr = CPtr<PGresult, PQclear>;

// For a keyword/value string: in single quotes, with ' and \ escaped.
std::string Quoted(const std::string& value) {
  std::string result = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') result += '\\';
    result += c;
  }
  return result + "'";
}

bool Succeeded(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

}  // namespace

std::string PgTarget::KeywordValue() const {
  return "host=" + Quoted(host) + " port=" + std::to_string(port) + " user=" + Quoted(user) +
         " password=" + Quoted(password) + " dbname=" + Quoted(dbname);
}

std::string PgTarget::Uri() const {
  return "postgresql://" + user + ":" + password + "@" + host + ":" + std::to_string(port) + "/" +
         dbname;
}

std::map<std::string, std::optional<std::string>> PgTarget::Environment() const {
  return {{"PGHOST", host},
          {"PGPORT", std::to_string(port)},
          {"PGUSER", user},
          {"PGPASSWORD", password},
          {"PGDATABASE", dbname}};
}

PgTarget PgTarget::WithPort(std::uint16_t other) const {
  PgTarget result = *this;
  result.port = other;
  return result;
}

PgTarget PgTarget::WithDatabase(std::string other) const {
  PgTarget result = *this;
  result.dbname = std::move(other);
  return result;
}

PgTarget PgTarget::WithUser(std::string other, std::string its_password) const {
  PgTarget result = *this;
  result.user = std::move(other);
  result.password = std::move(its_password);
  return result;
}

struct PgClient::State {
  CPtr<PGconn, PQfinish> connection;
};

PgClient::PgClient(const PgTarget& target) : state_(std::make_unique<State>()) {
  const std::string conninfo =
      target.KeywordValue() + " connect_timeout=20 application_name=whimbrel-test";
  state_->connection.reset(PQconnectdb(conninfo.c_str()));
  PGconn* connection = state_->connection.get();
  if (PQstatus(connection) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection));
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
}

PgClient::~PgClient() = default;
PgClient::PgClient(PgClient&&) noexcept = default;
PgClient& PgClient::operator=(PgClient&&) noexcept = default;

PgClient::Rows PgClient::Query(const std::string& sql) {
  const ResultPtr result(PQexec(state_->connection.get(), sql.c_str()));
  if (!Succeeded(result.get())) {
    throw std::runtime_error(PQerrorMessage(state_->connection.get()) + ("in: " + sql));
  }
  Rows rows;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    auto& cells = rows.emplace_back();
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      const bool null = PQgetisnull(result.get(), row, column) != 0;
      cells.push_back(null ? std::nullopt : Cell(PQgetvalue(result.get(), row, column)));
    }
  }
  return rows;
}

std::string PgClient::Scalar(const std::string& sql) {
  const Rows rows = Query(sql);
  if (rows.size() != 1 || rows[0].size() != 1) {
    throw std::runtime_error("not one row of one column: " + sql);
  }
  return rows[0][0].value_or("");
}

std::string PgClient::Text(const std::string& sql) {
  std::string text;
  for (const auto& row : Query(sql)) {
    if (!text.empty()) text += '\n';
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += '|';
      text += row[i].value_or("");
    }
  }
  return text;
}

std::string PgClient::SqlstateOf(const std::string& sql) {
  const ResultPtr result(PQexec(state_->connection.get(), sql.c_str()));
  if (Succeeded(result.get())) throw std::runtime_error("it should have failed: " + sql);
  const char* sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
  return sqlstate == nullptr ? "" : sqlstate;
}

int PgClient::backend_pid() const { return PQbackendPID(state_->connection.get()); }

}  // namespace whimbrel::testing
