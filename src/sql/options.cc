#include "sql/options.h"

#include <algorithm>

#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::sql {

std::string ValueOf(const Token& token) {
  if (std::optional<std::string> value = token.StringValue()) return *value;
  std::string name = token.Name();
  return name.empty() ? std::string(token.text) : name;
}

OptionList OptionList::Read(TokenReader& reader) {
  OptionList list;
  if (!reader.AcceptPunctuation('(')) return list;
  while (reader.Peek().has_value() && !reader.AcceptPunctuation(')')) {
    Option option;
    std::size_t depth = 0;
    for (bool value = false; reader.Peek().has_value(); reader.Next()) {
      const Token& token = *reader.Peek();
      if (depth == 0 && (token.IsPunctuation(',') || token.IsPunctuation(')'))) break;
      if (token.IsPunctuation('(')) ++depth;
      if (token.IsPunctuation(')')) --depth;
      const bool dot = token.IsPunctuation('.');
      if (!value && (option.name.empty() || dot || option.name.ends_with('.'))) {
        option.name += dot ? "." : token.Name();
        continue;
      }
      value = true;
      if (token.text != "=") option.value = option.value.value_or("") + ValueOf(token);
    }
    list.options_.push_back(std::move(option));
    reader.AcceptPunctuation(',');
  }
  return list;
}

const OptionList::Option* OptionList::Find(std::string_view name) const {
  // The last one counts, where the server takes a second one at all.
  const auto found = std::find_if(options_.rbegin(), options_.rend(),
                                  [name](const Option& option) { return option.name == name; });
  return found == options_.rend() ? nullptr : &*found;
}

std::optional<bool> OptionList::Boolean(std::string_view name) const {
  const Option* option = Find(name);
  if (option == nullptr) return std::nullopt;
  if (!option->value.has_value()) return true;
  return ParseBoolean(*option->value);
}

}  // namespace whimbrel::sql
