#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "whimbrel/kube/api_error.h"
#include "whimbrel/kube/resource.h"

namespace whimbrel::kube {

using Json = nlohmann::json;

struct ListOptions {
  std::string ns;  ///< Empty: all namespaces.
  std::string label_selector;
  std::string field_selector;
  bool metadata_only = false;  ///< As PartialObjectMetadata; `kind` may then be either.
  int limit = 500;             ///< Page size.
};

struct WatchOptions {
  std::string ns;
  std::string label_selector;
  std::string field_selector;
  bool metadata_only = false;
  std::string resource_version;  ///< Where to go on; from a list or an earlier event.
  std::chrono::seconds timeout{
      300};  ///< After which the server ends the watch; that is a clean end.
};

enum class WatchEventType { kAdded, kModified, kDeleted, kBookmark };

/// Called for each event, in order, on the thread that called Watch.
using WatchHandler = std::function<void(WatchEventType type, Json&& object)>;
/// Called for each item of a list, in order; the list is never whole in memory.
using ListHandler = std::function<void(Json&& object)>;

struct ApplyOptions {
  std::string field_manager;
  bool force = true;
  std::string subresource;  ///< "" or "status".
};

struct LogOptions {
  std::string container;             ///< Empty: the only one of the pod.
  int tail_lines = 0;                ///< The last so many; 0: from the beginning.
  std::size_t limit_bytes = 65'536;  ///< Never more; what comes after is left out.
};

/// The Kubernetes API as the controller sees it. Two implementations: RestClient (a real API
/// server) and ManifestClient (manifests in memory); the controller cannot tell them apart.
/// Thread-safe. A call blocks at most for its own timeout (30 s; watches for WatchOptions::timeout)
/// and returns kCancelled soon after `stop` was requested.
class ObjectClient {
 public:
  virtual ~ObjectClient() = default;

  virtual ApiResult<Json> Get(const Resource& resource, const ObjectKey& key,
                              std::stop_token stop) = 0;
  /// All objects, page by page, newest state; returns the resourceVersion to watch from. kExpired
  /// in the middle of the pages is returned: begin anew.
  virtual ApiResult<std::string> List(const Resource& resource, const ListOptions& options,
                                      const ListHandler& handler, std::stop_token stop) = 0;
  /// Returns when the watch ended cleanly (the server's timeout), or with the error that ended it.
  /// kExpired: list again.
  virtual ApiResult<void> Watch(const Resource& resource, const WatchOptions& options,
                                const WatchHandler& handler, std::stop_token stop) = 0;
  /// An object of that name is kAlreadyExists. It may be our own: the answer to an earlier attempt
  /// can be lost after the server has stored the object.
  virtual ApiResult<Json> Create(const Resource& resource, const Json& object,
                                 std::stop_token stop) = 0;
  /// Replaces the whole object (PUT; a status where it is a subresource stays). It must carry the
  /// metadata.resourceVersion that it was computed from, or it is kInvalid; when the server's is
  /// newer, or the object is gone, it is kConflict (or kNotFound). Returns the object as stored.
  virtual ApiResult<Json> Update(const Resource& resource, const Json& object,
                                 std::stop_token stop) = 0;
  /// Server-side apply of a whole intention (design §6, Status). With metadata.resourceVersion in
  /// the body a write over a newer object is kConflict. Returns the object as stored.
  virtual ApiResult<Json> Apply(const Resource& resource, const Json& object,
                                const ApplyOptions& options, std::stop_token stop) = 0;
  /// In the background (propagationPolicy=Background), only the object of that uid when one is
  /// given.
  virtual ApiResult<void> Delete(const Resource& resource, const ObjectKey& key,
                                 const std::string& uid, std::stop_token stop) = 0;
  /// What a container wrote so far. Any bytes: a program may write no UTF-8. Empty while the
  /// pod is on no node; kInvalid while the container has not begun, and for one that it has not.
  virtual ApiResult<std::string> ReadLog(const ObjectKey& pod, const LogOptions& options,
                                         std::stop_token stop) = 0;
};

}  // namespace whimbrel::kube
