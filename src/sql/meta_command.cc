#include "sql/meta_command.h"

#include <algorithm>
#include <array>

namespace whimbrel::sql {
namespace {

struct Hint {
  std::string_view commands;  ///< Between spaces.
  std::string_view instead;
};

constexpr std::array kHints = {
    Hint{" i ir include include_relative ",
         "put that file's statements here, or make it a migration of its own"},
    Hint{" set unset gset getenv prompt ", "use placeholders, or write the value"},
    Hint{" c connect ", "use one DatabaseMigration per database"},
    Hint{" if elif else endif ", "use DO $$ BEGIN IF … THEN … END IF; END $$"},
    Hint{" gexec ", "use DO with a loop and EXECUTE"},
    Hint{" g gx gdesc watch crosstabview bind bind_named parse sendpipeline ",
         "end the statement with `;`"},
    Hint{" copy ", "use COPY … FROM STDIN with the data below it, ending in a line `\\.`"},
    Hint{" . ", "it ends the data of COPY … FROM STDIN, and no such statement stands before it"},
    Hint{" ; ", "write `;`"},
    Hint{" ! setenv cd o out w write ",
         "remove it: migrations run in the server, not on a machine with a shell"},
    Hint{" echo qecho warn ", "use RAISE NOTICE in a DO block"},
    Hint{" encoding ", "save the file as UTF-8"},
    Hint{" password ", "use ALTER ROLE with a SCRAM verifier"},
    Hint{" lo_import lo_export lo_unlink lo_list ", "use the server's lo_ functions"},
    Hint{" e edit ef ev q quit h help s ", "remove it: it is of use at a keyboard only"},
};

}  // namespace

std::string DescribeMetaCommand(std::string_view command) {
  if (command.empty()) {
    return "a backslash outside of quotes has no meaning in SQL; remove it, or quote what it "
           "belongs to";
  }
  std::string name;
  name.append(1, ' ').append(command).append(1, ' ');
  const auto* hint = std::find_if(kHints.begin(), kHints.end(), [&](const Hint& candidate) {
    return candidate.commands.find(name) != std::string_view::npos;
  });
  const std::string_view instead =
      hint != kHints.end() ? hint->instead : "remove it, or write SQL that does the same";
  std::string message = "\\";
  message.append(command).append(" is a command of psql and is not run here; ").append(instead);
  return message;
}

}  // namespace whimbrel::sql
