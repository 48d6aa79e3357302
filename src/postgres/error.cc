#include "whimbrel/postgres/error.h"

namespace whimbrel::postgres {

std::string PgError::ToString() const {
  if (sql_state.empty()) return message;
  return message + " (SQLSTATE " + sql_state + ")";
}

}  // namespace whimbrel::postgres
