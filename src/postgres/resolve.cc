#include "postgres/resolve.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "postgres/detached_call.h"
#include "postgres/text_list.h"
#include "whimbrel/base/c_ptr.h"
#include "whimbrel/base/redact.h"

namespace whimbrel::postgres {
namespace {

/// What one name resolved to, or why it did not.
struct Resolution {
  std::vector<std::string> addresses;
  std::string failure;
};

Resolution Resolve(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  Resolution resolution;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0) {
    resolution.failure = gai_strerror(code);
    return resolution;
  }
  const CPtr<addrinfo, freeaddrinfo> owner(found);
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                    NI_NUMERICHOST) == 0) {
      resolution.addresses.emplace_back(text.data());
    }
  }
  return resolution;
}

bool IsSocketPath(std::string_view host) { return host.starts_with('/') || host.starts_with('@'); }

/// Resolves what is a number already without a thread: the common case inside a cluster's tests and
/// wherever a Service's IP is given.
bool ResolveNumeric(const std::vector<std::string>& hosts, std::vector<Resolution>* resolutions) {
  for (const std::string& host : hosts) {
    Resolution one;
    if (!IsSocketPath(host)) one = Resolve(host, AI_NUMERICHOST);
    if (!one.failure.empty()) return false;
    resolutions->push_back(std::move(one));
  }
  return true;
}

PgError Failure(const std::string& message) {
  PgError error;
  error.connecting = true;
  error.message = TruncateUtf8(Redact(message), 1024);
  return error;
}

std::string Value(const ConnectionParameters& parameters, const std::string& key) {
  const auto found = parameters.values.find(key);
  return found == parameters.values.end() ? std::string() : found->second;
}

PgResult<std::vector<Resolution>> ResolveAll(const std::vector<std::string>& hosts,
                                             SteadyTime deadline, const std::stop_token& stop) {
  std::vector<Resolution> resolutions;
  if (ResolveNumeric(hosts, &resolutions)) return resolutions;
  auto answer = CallDetached(
      [hosts] {
        std::vector<Resolution> all;
        for (const std::string& host : hosts) {
          all.push_back(IsSocketPath(host) ? Resolution() : Resolve(host, 0));
        }
        return all;
      },
      deadline, stop);
  if (answer) return *std::move(answer);
  return tl::make_unexpected(
      Failure("resolving the host name \"" + Join(hosts, ",") + "\" gave no answer in time"));
}

}  // namespace

PgResult<std::vector<Target>> ResolveTargets(const ConnectionParameters& parameters,
                                             SteadyTime deadline, const std::stop_token& stop) {
  const std::vector<std::string> hosts = Split(Value(parameters, "host"), ',');
  const std::vector<std::string> ports = Split(Value(parameters, "port"), ',');
  const bool libpq_finds_it = Value(parameters, "host").empty() ||
                              !Value(parameters, "hostaddr").empty() ||
                              !Value(parameters, "service").empty();
  if (libpq_finds_it) return std::vector<Target>{Target{}};
  if (ports.size() > 1 && ports.size() != hosts.size()) {
    return tl::make_unexpected(Failure("the connection names " + std::to_string(hosts.size()) +
                                       " hosts but " + std::to_string(ports.size()) + " ports"));
  }
  auto resolutions = ResolveAll(hosts, deadline, stop);
  if (!resolutions) return tl::make_unexpected(std::move(resolutions).error());

  std::vector<Target> targets;
  std::vector<std::string> failures;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::string port = ports.size() == 1 ? ports[0] : ports.empty() ? "" : ports[i];
    const Resolution& resolution = (*resolutions)[i];
    if (!resolution.failure.empty()) {
      failures.push_back("cannot resolve the host name \"" + hosts[i] +
                         "\": " + resolution.failure);
    } else if (resolution.addresses.empty()) {
      targets.push_back({.host = hosts[i], .address = "", .port = port});
    }
    for (const std::string& address : resolution.addresses) {
      targets.push_back({.host = hosts[i], .address = address, .port = port});
    }
  }
  if (targets.empty()) return tl::make_unexpected(Failure(Join(failures, "; ")));
  return targets;
}

}  // namespace whimbrel::postgres
