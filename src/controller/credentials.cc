#include "controller/credentials.h"

#include <utility>

#include "controller/json_fields.h"
#include "controller/read_object.h"
#include "whimbrel/base/hash.h"

namespace whimbrel::controller {
namespace {

using kube::ApiResult;
using kube::Json;
using kube::ObjectKey;

/// What was read of one object, or why not.
using Values = Result<SecretMap, std::string>;

SecretMap DecodeSecret(const Json& object) {
  SecretMap values;
  const Json& data = Member(object, "data");
  if (!data.is_object()) return values;
  for (const auto& [key, value] : data.items()) {
    std::string bytes;
    if (value.is_string() && Base64Decode(value.get_ref<const std::string&>(), &bytes)) {
      values.emplace(key, Secret(std::move(bytes)));
    }
  }
  return values;
}

SecretMap DecodeConfigMap(const Json& object) {
  SecretMap values;
  const Json& data = Member(object, "data");
  if (!data.is_object()) return values;
  for (const auto& [key, value] : data.items()) {
    if (value.is_string()) values.emplace(key, Secret(value.get<std::string>()));
  }
  return values;
}

class Reader {
 public:
  Reader(kube::ObjectClient& client, const std::string& ns, std::stop_token stop)
      : client_(client), ns_(ns), stop_(std::move(stop)) {}

  ApiResult<Values> Read(KeyRef::Kind kind, const std::string& name) const {
    const bool secret = kind == KeyRef::Kind::kSecret;
    ApiResult<FoundObject> object = ReadObject(
        client_, secret ? kube::Secrets() : kube::ConfigMaps(), {.ns = ns_, .name = name}, stop_);
    if (!object) return tl::make_unexpected(std::move(object).error());
    if (!*object) return Values(tl::make_unexpected(object->error()));
    return Values(secret ? DecodeSecret(**object) : DecodeConfigMap(**object));
  }

  /// The value of one key; it must be there.
  ApiResult<Result<Secret, std::string>> ReadKey(const KeyRef& ref) const {
    ApiResult<Values> values = Read(ref.kind, ref.name);
    if (!values) return tl::make_unexpected(std::move(values).error());
    if (!*values) return Result<Secret, std::string>(tl::make_unexpected(values->error()));
    const auto it = (*values)->find(ref.key);
    if (it != (*values)->end()) return Result<Secret, std::string>(it->second);
    const char* kind = ref.kind == KeyRef::Kind::kSecret ? "Secret " : "ConfigMap ";
    return Result<Secret, std::string>(tl::make_unexpected(
        kind + ObjectKey{.ns = ns_, .name = ref.name}.ToString() + " has no key " + ref.key));
  }

 private:
  kube::ObjectClient& client_;
  const std::string& ns_;
  const std::stop_token stop_;
};

CredentialsState Missing(std::string message) {
  return tl::make_unexpected(Obstacle{report::Reason::kSecretNotFound, std::move(message)});
}

/// One key that the credentials need, and where its value goes.
struct Wanted {
  KeyRef ref;
  Secret* value;
};

std::vector<Wanted> TlsFiles(const TlsSpec& tls, Secret* ca, Secret* certificate, Secret* key) {
  std::vector<Wanted> wanted;
  if (tls.ca) wanted.push_back({*tls.ca, ca});
  if (tls.client_certificate_secret.empty()) return wanted;
  const KeyRef::Kind kind = KeyRef::Kind::kSecret;
  wanted.push_back({{kind, tls.client_certificate_secret, "tls.crt"}, certificate});
  wanted.push_back({{kind, tls.client_certificate_secret, "tls.key"}, key});
  return wanted;
}

}  // namespace

ApiResult<CredentialsState> ReadCredentials(kube::ObjectClient& client, const std::string& ns,
                                            const DatabaseSpec& database, std::stop_token stop) {
  const Reader reader(client, ns, std::move(stop));
  Credentials out;
  if (database.secret) {
    ApiResult<Values> secret = reader.Read(KeyRef::Kind::kSecret, database.secret->name);
    if (!secret) return tl::make_unexpected(std::move(secret).error());
    if (!*secret) return Missing(secret->error());
    out.secret = **std::move(secret);
    // Nothing at all would mean "the environment" to a runner that trusts its user.
    if (out.secret.empty()) {
      return Missing("Secret " + ns + "/" + database.secret->name + " holds no data");
    }
  }
  Secret ca;
  Secret certificate;
  for (const Wanted& wanted : TlsFiles(database.tls, &ca, &certificate, &out.client_key_pem)) {
    ApiResult<Result<Secret, std::string>> value = reader.ReadKey(wanted.ref);
    if (!value) return tl::make_unexpected(std::move(value).error());
    if (!*value) return Missing(value->error());
    *wanted.value = **std::move(value);
  }
  // Certificates are public; only the key stays a Secret.
  out.ca_pem = ca.Reveal();
  out.client_certificate_pem = certificate.Reveal();
  return CredentialsState(std::move(out));
}

}  // namespace whimbrel::controller
