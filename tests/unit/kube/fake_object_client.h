#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "whimbrel/kube/object_client.h"

namespace whimbrel::kube {

/// An ObjectClient whose calls a test defines; those that it does not define are answered with
/// kInvalid.
class FakeObjectClient : public ObjectClient {
 public:
  std::function<ApiResult<std::string>(const ListOptions&, const ListHandler&, std::stop_token)>
      list;
  std::function<ApiResult<void>(const WatchOptions&, const WatchHandler&, std::stop_token)> watch;
  std::function<ApiResult<Json>(const Json&, std::stop_token)> create;
  std::function<ApiResult<Json>(const Json&, std::stop_token)> update;
  std::function<ApiResult<Json>(const Json&, const ApplyOptions&, std::stop_token)> apply;
  std::function<ApiResult<Json>(const Resource&, const ObjectKey&, std::stop_token)> get;

  ApiResult<Json> Get(const Resource& resource, const ObjectKey& key,
                      std::stop_token stop) override {
    if (!get) return Undefined();
    return get(resource, key, std::move(stop));
  }
  ApiResult<std::string> List(const Resource&, const ListOptions& options,
                              const ListHandler& handler, std::stop_token stop) override {
    if (!list) return Undefined();
    return list(options, handler, std::move(stop));
  }
  ApiResult<void> Watch(const Resource&, const WatchOptions& options, const WatchHandler& handler,
                        std::stop_token stop) override {
    if (!watch) return Undefined();
    return watch(options, handler, std::move(stop));
  }
  ApiResult<Json> Create(const Resource&, const Json& object, std::stop_token stop) override {
    if (!create) return Undefined();
    return create(object, std::move(stop));
  }
  ApiResult<Json> Update(const Resource&, const Json& object, std::stop_token stop) override {
    if (!update) return Undefined();
    return update(object, std::move(stop));
  }
  ApiResult<Json> Apply(const Resource&, const Json& object, const ApplyOptions& options,
                        std::stop_token stop) override {
    if (!apply) return Undefined();
    return apply(object, options, std::move(stop));
  }
  ApiResult<void> Delete(const Resource&, const ObjectKey&, const std::string&,
                         std::stop_token) override {
    return Undefined();
  }
  ApiResult<std::string> ReadLog(const ObjectKey&, const LogOptions&, std::stop_token) override {
    return Undefined();
  }

  /// Blocks until a stop was requested: what an idle watch does.
  static ApiResult<void> BlockUntil(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait(lock, stop, [] { return false; });
    return Failure(ApiErrorReason::kCancelled);
  }

  static tl::unexpected<ApiError> Failure(ApiErrorReason reason) {
    return tl::make_unexpected(ApiError{.reason = reason, .message = "scripted"});
  }

 private:
  static tl::unexpected<ApiError> Undefined() { return Failure(ApiErrorReason::kInvalid); }
};

}  // namespace whimbrel::kube
