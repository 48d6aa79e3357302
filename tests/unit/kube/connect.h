#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>

#include "whimbrel/kube/rest_client.h"

namespace whimbrel::kube {

/// A client of its own for whoever `kubeconfig` is; throws where it cannot be.
inline std::unique_ptr<ObjectClient> Connect(const std::filesystem::path& kubeconfig,
                                             RestClientOptions options = {
                                                 .user_agent = "whimbrel/test"}) {
  const auto config = LoadConfig(kubeconfig.string(), "", ConfigEnvironment::Process());
  if (!config) throw std::runtime_error(config.error().message);
  auto client = NewRestClient(*config, std::move(options));
  if (!client) throw std::runtime_error(client.error().message);
  return std::move(*client);
}

}  // namespace whimbrel::kube
