#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/history/tool_tables.h"
#include "whimbrel/postgres/connection.h"

namespace whimbrel::history {

/// A table as the catalog has it, or the place where it would be.
struct CatalogTable {
  struct Column {
    std::string name;
    bool must_be_given = false;  ///< NOT NULL, without default, identity or generation.
  };

  std::string schema;  ///< Empty: no schema was named and search_path has none that exists.
  std::string table;
  bool schema_exists = false;
  bool exists = false;
  std::vector<Column> columns;  ///< In the table's order.

  [[nodiscard]] std::string QualifiedName() const { return schema + "." + table; }
  [[nodiscard]] std::string QuotedName() const;
  [[nodiscard]] bool HasColumn(std::string_view name) const;
  /// `id, name`, for messages.
  [[nodiscard]] std::string ColumnNames() const;
};

/// Looks a table up: in `name.schema` when named, else in the first schema of search_path that has
/// it, else it would be in current_schema(). Reads the catalog only: no error when it is missing,
/// no privilege needed.
postgres::PgResult<CatalogTable> FindTable(postgres::Connection& connection, const TableName& name);

/// FindTable, refusing a place that does not exist: no schema named and none on search_path.
[[nodiscard]] Result<CatalogTable, ToolTableError> LocateTable(postgres::Connection& connection,
                                                               const TableName& name);
/// ErrorKind::kInvalidArgument: the table cannot serve as this history.
[[nodiscard]] tl::unexpected<ToolTableError> Unfit(std::string message);

/// Rows of a table that may not be there. Inside a transaction a failed SELECT would end it, so one
/// that was not there before is looked for first.
class OptionalTableReader {
 public:
  explicit OptionalTableReader(const CatalogTable& table)
      : name_{.schema = table.schema, .table = table.table, .column = {}}, seen_(table.exists) {}

  /// Runs `select`; nullopt when the table is not there.
  postgres::PgResult<std::optional<postgres::Rows>> Read(postgres::Connection& connection,
                                                         std::string_view select);

 private:
  TableName name_;
  bool seen_;
};

}  // namespace whimbrel::history
