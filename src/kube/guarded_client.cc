#include <nlohmann/json.hpp>
#include <utility>

#include "whimbrel/kube/leader_elector.h"

namespace whimbrel::kube {
namespace {

class GuardedClient final : public ObjectClient {
 public:
  GuardedClient(ObjectClient& client, const LeaderElector& elector)
      : client_(client), elector_(elector) {}

  ApiResult<Json> Get(const Resource& resource, const ObjectKey& key,
                      std::stop_token stop) override {
    return client_.Get(resource, key, std::move(stop));
  }
  ApiResult<std::string> List(const Resource& resource, const ListOptions& options,
                              const ListHandler& handler, std::stop_token stop) override {
    return client_.List(resource, options, handler, std::move(stop));
  }
  ApiResult<void> Watch(const Resource& resource, const WatchOptions& options,
                        const WatchHandler& handler, std::stop_token stop) override {
    return client_.Watch(resource, options, handler, std::move(stop));
  }
  ApiResult<Json> Create(const Resource& resource, const Json& object,
                         std::stop_token stop) override {
    if (!MayWrite(resource)) return Refuse();
    return client_.Create(resource, object, std::move(stop));
  }
  ApiResult<Json> Update(const Resource& resource, const Json& object,
                         std::stop_token stop) override {
    if (!MayWrite(resource)) return Refuse();
    return client_.Update(resource, object, std::move(stop));
  }
  ApiResult<Json> Apply(const Resource& resource, const Json& object, const ApplyOptions& options,
                        std::stop_token stop) override {
    if (!MayWrite(resource)) return Refuse();
    return client_.Apply(resource, object, options, std::move(stop));
  }
  ApiResult<void> Delete(const Resource& resource, const ObjectKey& key, const std::string& uid,
                         std::stop_token stop) override {
    if (!MayWrite(resource)) return Refuse();
    return client_.Delete(resource, key, uid, std::move(stop));
  }
  ApiResult<std::string> ReadLog(const ObjectKey& pod, const LogOptions& options,
                                 std::stop_token stop) override {
    return client_.ReadLog(pod, options, std::move(stop));
  }

 private:
  /// An event tells what has happened, whoever leads by now.
  [[nodiscard]] bool MayWrite(const Resource& resource) const {
    return resource == Events() || elector_.may_work();
  }

  static tl::unexpected<ApiError> Refuse() {
    return tl::make_unexpected(ApiError{.reason = ApiErrorReason::kCancelled,
                                        .message = "this process does not lead any more"});
  }

  ObjectClient& client_;
  const LeaderElector& elector_;
};

}  // namespace

std::unique_ptr<ObjectClient> GuardWrites(ObjectClient& client, const LeaderElector& elector) {
  return std::make_unique<GuardedClient>(client, elector);
}

}  // namespace whimbrel::kube
