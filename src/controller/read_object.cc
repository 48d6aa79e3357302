#include "controller/read_object.h"

#include <utility>

namespace whimbrel::controller {

kube::ApiResult<FoundObject> ReadObject(kube::ObjectClient& client, const kube::Resource& resource,
                                        const kube::ObjectKey& key, std::stop_token stop) {
  kube::ApiResult<kube::Json> object = client.Get(resource, key, std::move(stop));
  if (object) return FoundObject(*std::move(object));
  const std::string name = resource.kind + " " + key.ToString();
  if (object.error().IsNotFound()) {
    return FoundObject(tl::make_unexpected(name + " does not exist"));
  }
  if (object.error().reason == kube::ApiErrorReason::kForbidden) {
    return FoundObject(tl::make_unexpected(name + " may not be read by Whimbrel; grant it get on " +
                                           resource.plural + " in this namespace (" +
                                           object.error().message + ")"));
  }
  return tl::make_unexpected(std::move(object).error());
}

}  // namespace whimbrel::controller
