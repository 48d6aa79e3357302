#include <string>

#include "fuzz/fuzz.h"
#include "postgres/pq_handles.h"
#include "whimbrel/postgres/connection_parameters.h"

// What a tenant's connection string means is what libpq says it means, no more options than are
// allowed come through, and no message holds a password.
namespace whimbrel::fuzz {
namespace {

using postgres::ConnectionParameters;
using postgres::Trust;

constexpr std::string_view kCanary = "H0pp3r!";

/// How libpq reads it; empty when it does not.
std::string ValueOf(const postgres::OptionsPtr& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option && option->keyword; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return "";
}

void RequireLibpqsMeaning(const std::string& text, const ConnectionParameters& parameters) {
  const postgres::OptionsPtr options(PQconninfoParse(text.c_str(), nullptr));
  Require(options != nullptr, "libpq understands it too", text);
  for (const auto& [keyword, value] : parameters.values) {
    const std::string expected = ValueOf(options, keyword);
    Require(value == (keyword == "port" && expected.empty() ? "5432" : expected),
            "a value is libpq's", keyword);
  }
  Require(parameters.password.Reveal() == ValueOf(options, "password"), "the password is libpq's");
}

void RequireTenantsLimits(const ConnectionParameters& parameters) {
  for (const char* keyword : {"sslrootcert", "sslcert", "sslkey", "passfile", "service", "options",
                              "hostaddr", "krbsrvname", "gssencmode", "sslcrldir"}) {
    Require(!parameters.values.contains(keyword), "a tenant names no file and no option", keyword);
  }
  Require(!parameters.values.contains("password"), "the password is a Secret");
  const std::string& host = parameters.values.at("host");
  Require(!host.empty() && !host.starts_with('/') && host.find(",/") == std::string::npos,
          "no host is a socket", host);
}

/// Every `keyword=value` line is a key of a Secret.
SecretMap SecretOf(std::string_view input) {
  SecretMap secret;
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    const std::size_t equals = std::min(line.find('='), line.size());
    secret.emplace(line.substr(0, equals),
                   Secret(std::string(line.substr(std::min(equals + 1, line.size())))));
  }
  return secret;
}

void RequireDiscretion(const Result<ConnectionParameters>& parameters) {
  if (!parameters) {
    Require(parameters.error().ToString().find(kCanary) == std::string::npos,
            "no message holds a password", parameters.error().ToString());
  } else if (parameters->password.Reveal() == kCanary) {
    (void)parameters->Describe();
  }
}

}  // namespace

void Try(std::string_view input) {
  static const bool cleared = (postgres::ClearLibpqEnvironment(), true);
  (void)cleared;
  const Secret conninfo{std::string(input)};
  const auto parameters = postgres::ParametersFromConninfo(conninfo, Trust::kCluster);
  RequireDiscretion(parameters);
  if (parameters) {
    std::string text(input);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    RequireLibpqsMeaning(text, *parameters);
    RequireTenantsLimits(*parameters);
  }
  const auto mapped = postgres::ParametersFromSecret(SecretOf(input), {}, Trust::kCluster);
  RequireDiscretion(mapped);
  if (mapped) RequireTenantsLimits(*mapped);
  RequireDiscretion(postgres::ParametersFromConninfo(conninfo, Trust::kLocal));
}

}  // namespace whimbrel::fuzz
