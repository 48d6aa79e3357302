#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>

#include "support/pg_client.h"
#include "whimbrel/base/error.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// A session of the code under test.
inline postgres::Connection Connect(const testing::PgTarget& target) {
  auto parameters =
      postgres::ParametersFromConninfo(Secret(target.Uri()), postgres::Trust::kCluster).value();
  return postgres::Connection::Open(parameters, {.application_name = "whimbrel/test"}).value();
}

inline std::string Explain(const postgres::PgError& error) { return error.ToString(); }
inline std::string Explain(const Error& error) { return error.ToString(); }
inline std::string Explain(const std::variant<postgres::PgError, Error>& error) {
  return std::visit([](const auto& cause) { return Explain(cause); }, error);
}

/// The value of a result; a failure of the test and an exception where there is none.
template <class T, class E>
T Ok(Result<T, E> result) {
  if (!result) throw std::runtime_error(Explain(result.error()));
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

}  // namespace whimbrel::history
