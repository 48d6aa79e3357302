#include "whimbrel/kube/rest_client.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "kube/api_sender.h"
#include "kube/line_splitter.h"
#include "kube/list_page.h"
#include "kube/object_json.h"
#include "kube/rest_client_parts.h"
#include "kube/rest_paths.h"
#include "kube/status_error.h"
#include "whimbrel/base/log.h"

namespace whimbrel::kube {
namespace {

// How much longer than its own end we wait for a watch before we take the server for dead.
constexpr std::chrono::seconds kWatchMargin{10};

tl::unexpected<ApiError> Fail(ApiErrorReason reason, std::string message) {
  return tl::make_unexpected(ApiError{.reason = reason, .message = std::move(message)});
}

// A part of a path that the server would read as more than a name (apimachinery
// IsValidPathSegmentName): it decodes the path before it routes it.
bool IsPathSegment(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of("/%") == std::string_view::npos;
}

ApiResult<void> CheckNamespace(const Resource& resource, const ObjectKey& key) {
  if (resource.namespaced && !IsPathSegment(key.ns)) {
    return Fail(ApiErrorReason::kInvalid, "\"" + key.ns + "\" cannot be the namespace of the " +
                                              resource.kind + " " + key.name);
  }
  return {};
}

ApiResult<void> CheckKey(const Resource& resource, const ObjectKey& key) {
  if (!IsPathSegment(key.name)) {
    return Fail(ApiErrorReason::kInvalid, "\"" + key.name + "\" cannot be the name of a " +
                                              resource.kind +
                                              ": it is empty, a dot or two, or holds / or %");
  }
  return CheckNamespace(resource, key);
}

ObjectKey KeyOf(const Json& object) {
  return {StringAt(object, "metadata", "namespace"), StringAt(object, "metadata", "name")};
}

std::string Accept(bool metadata_only, std::string_view partial) {
  if (!metadata_only) return "application/json";
  return "application/json;as=" + std::string(partial) + ";g=meta.k8s.io;v=v1,application/json";
}

HttpRequest Request(std::string method, std::string target, std::string accept) {
  HttpRequest request{.method = std::move(method), .target = std::move(target)};
  request.headers.emplace_back("Accept", std::move(accept));
  return request;
}

HttpRequest RequestWithBody(std::string method, std::string target, std::string content_type,
                            const Json& body) {
  HttpRequest request = Request(std::move(method), std::move(target), "application/json");
  request.headers.emplace_back("Content-Type", std::move(content_type));
  request.body = Serialize(body);
  return request;
}

std::optional<WatchEventType> ParseEventType(std::string_view type) {
  if (type == "ADDED") return WatchEventType::kAdded;
  if (type == "MODIFIED") return WatchEventType::kModified;
  if (type == "DELETED") return WatchEventType::kDeleted;
  if (type == "BOOKMARK") return WatchEventType::kBookmark;
  return std::nullopt;
}

// Turns the lines of a watch into events, until one of them is the error that ends it.
class WatchReader {
 public:
  WatchReader(const Resource& resource, const WatchHandler& handler)
      : resource_(resource), handler_(handler) {}

  bool OnLine(std::string_view line) {
    ApiResult<WatchLine> event = ParseWatchLine(line);
    if (!event) {
      error_ = std::move(event.error());
      return false;
    }
    if (event->type == "ERROR") {
      error_ = ErrorFromStatus(*event->object, 0);
      return false;
    }
    const std::optional<WatchEventType> type = ParseEventType(event->type);
    const std::string kind = event->object->value("kind", Json()).is_string()
                                 ? event->object->at("kind").get<std::string>()
                                 : std::string();
    if (!type || (kind != resource_.kind && kind != "PartialObjectMetadata")) {
      log::Warning("kube", "skipping a watch event of an unknown type or kind",
                   {{"type", event->type}, {"kind", kind}, {"resource", resource_.plural}});
      return true;
    }
    handler_(*type, std::move(*event->object));
    return true;
  }

  [[nodiscard]] const std::optional<ApiError>& error() const { return error_; }

 private:
  const Resource& resource_;
  const WatchHandler& handler_;
  std::optional<ApiError> error_;
};

class RestClient final : public ObjectClient {
 public:
  RestClient(RestClientParts parts, const Clock& clock) : sender_(std::move(parts), clock) {}

  ApiResult<Json> Get(const Resource& resource, const ObjectKey& key,
                      std::stop_token stop) override {
    if (auto valid = CheckKey(resource, key); !valid) return tl::make_unexpected(valid.error());
    return FetchObject(Request("GET", ResourcePath(resource, key.ns, key.name), "application/json"),
                       std::move(stop));
  }

  ApiResult<std::string> List(const Resource& resource, const ListOptions& options,
                              const ListHandler& handler, std::stop_token stop) override {
    std::string resource_version;
    std::string next;
    do {
      const ApiResult<Json> metadata = FetchPage(resource, options, next, handler, stop);
      if (!metadata) return tl::make_unexpected(metadata.error());
      // All pages show the state of the first one.
      if (resource_version.empty()) resource_version = TextAt(*metadata, "resourceVersion");
      next = TextAt(*metadata, "continue");
    } while (!next.empty());
    if (resource_version.empty()) {
      return Fail(ApiErrorReason::kMalformed, "a list came without a resourceVersion");
    }
    return resource_version;
  }

  ApiResult<void> Watch(const Resource& resource, const WatchOptions& options,
                        const WatchHandler& handler, std::stop_token stop) override {
    const std::string query = Query({{"watch", "1"},
                                     {"allowWatchBookmarks", "true"},
                                     {"resourceVersion", options.resource_version},
                                     {"timeoutSeconds", std::to_string(options.timeout.count())},
                                     {"labelSelector", options.label_selector},
                                     {"fieldSelector", options.field_selector}});
    HttpRequest request = Request("GET", ResourcePath(resource, options.ns) + query,
                                  Accept(options.metadata_only, "PartialObjectMetadata"));
    request.own_connection = true;
    request.timeout = options.timeout + kWatchMargin;

    WatchReader reader(resource, handler);
    LineSplitter lines(kMaxObjectBytes,
                       [&reader](std::string_view line) { return reader.OnLine(line); });
    const ApiResult<void> sent = sender_.Send(
        std::move(request), [&lines](std::string_view bytes) { return lines.Feed(bytes); },
        std::move(stop));
    if (reader.error()) return tl::make_unexpected(*reader.error());
    if (lines.too_long()) {
      return Fail(ApiErrorReason::kMalformed, "the API server sent a watch event over 16 MiB");
    }
    return sent;
  }

  ApiResult<Json> Create(const Resource& resource, const Json& object,
                         std::stop_token stop) override {
    const ObjectKey key = KeyOf(object);
    // Reviews have no name: they are answered and not kept.
    const auto valid = key.name.empty() ? CheckNamespace(resource, key) : CheckKey(resource, key);
    if (!valid) return tl::make_unexpected(valid.error());
    return FetchObject(
        RequestWithBody("POST", ResourcePath(resource, key.ns), "application/json", object),
        std::move(stop));
  }

  ApiResult<Json> Update(const Resource& resource, const Json& object,
                         std::stop_token stop) override {
    const ObjectKey key = KeyOf(object);
    if (auto valid = CheckKey(resource, key); !valid) return tl::make_unexpected(valid.error());
    if (StringAt(object, "metadata", "resourceVersion").empty()) {
      // The server would take this for some kinds, and overwrite whatever is there.
      return Fail(ApiErrorReason::kInvalid, "an update must carry metadata.resourceVersion");
    }
    return FetchObject(RequestWithBody("PUT", ResourcePath(resource, key.ns, key.name),
                                       "application/json", object),
                       std::move(stop));
  }

  ApiResult<Json> Apply(const Resource& resource, const Json& object, const ApplyOptions& options,
                        std::stop_token stop) override {
    const ObjectKey key = KeyOf(object);
    if (auto valid = CheckKey(resource, key); !valid) return tl::make_unexpected(valid.error());
    const std::string query =
        Query({{"fieldManager", options.field_manager}, {"force", options.force ? "true" : ""}});
    return FetchObject(
        RequestWithBody("PATCH",
                        ResourcePath(resource, key.ns, key.name, options.subresource) + query,
                        "application/apply-patch+yaml", object),
        std::move(stop));
  }

  ApiResult<void> Delete(const Resource& resource, const ObjectKey& key, const std::string& uid,
                         std::stop_token stop) override {
    if (auto valid = CheckKey(resource, key); !valid) return tl::make_unexpected(valid.error());
    // Said explicitly: the default of a Job is to leave its pods running.
    Json body = {
        {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
    if (!uid.empty()) body["preconditions"] = {{"uid", uid}};
    const ApiResult<std::string> answer =
        sender_.Fetch(RequestWithBody("DELETE", ResourcePath(resource, key.ns, key.name),
                                      "application/json", body),
                      std::move(stop));
    if (!answer) return tl::make_unexpected(answer.error());
    return {};
  }

  ApiResult<std::string> ReadLog(const ObjectKey& pod, const LogOptions& options,
                                 std::stop_token stop) override {
    if (auto valid = CheckKey(Pods(), pod); !valid) return tl::make_unexpected(valid.error());
    const int lines = options.tail_lines;
    const std::string query = Query({{"container", options.container},
                                     {"tailLines", lines > 0 ? std::to_string(lines) : ""},
                                     {"limitBytes", std::to_string(options.limit_bytes)}});
    std::string text;
    // The limit is kept here too: a kubelet counts what it read, not what it sends.
    const ApiSender::Consumer append = [&](std::string_view bytes) {
      text.append(bytes.substr(0, options.limit_bytes - text.size()));
      return text.size() < options.limit_bytes;
    };
    // Errors come as JSON, and the server refuses whoever does not take that.
    const ApiResult<void> sent =
        sender_.Send(Request("GET", ResourcePath(Pods(), pod.ns, pod.name, "log") + query,
                             "application/json, */*"),
                     append, std::move(stop));
    const bool full = text.size() == options.limit_bytes;
    if (!sent && !full) return tl::make_unexpected(sent.error());
    return text;
  }

 private:
  static std::string TextAt(const Json& object, const char* key) {
    const auto it = object.find(key);
    return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
  }

  ApiResult<Json> FetchObject(HttpRequest request, std::stop_token stop) {
    const ApiResult<std::string> body = sender_.Fetch(std::move(request), std::move(stop));
    if (!body) return tl::make_unexpected(body.error());
    return ParseObject(*body);
  }

  // The page's `metadata`, after the handler has seen its items.
  ApiResult<Json> FetchPage(const Resource& resource, const ListOptions& options,
                            const std::string& next, const ListHandler& handler,
                            const std::stop_token& stop) {
    const std::string query = Query({{"limit", std::to_string(options.limit)},
                                     {"continue", next},
                                     {"labelSelector", options.label_selector},
                                     {"fieldSelector", options.field_selector}});
    std::optional<ApiError> item_error;
    ListPage page([&](std::string_view text) {
      ApiResult<Json> item = ParseObject(text);
      if (!item) {
        item_error = std::move(item.error());
        return false;
      }
      // The server leaves them out of the items of its own kinds.
      item->emplace("apiVersion", resource.ApiVersion());
      item->emplace("kind", resource.kind);
      handler(std::move(*item));
      return true;
    });
    const ApiResult<void> sent = sender_.Send(
        Request("GET", ResourcePath(resource, options.ns) + query,
                Accept(options.metadata_only, "PartialObjectMetadataList")),
        [&page](std::string_view bytes) { return page.Feed(bytes); }, stop);
    if (item_error) return tl::make_unexpected(std::move(*item_error));
    if (!sent) return tl::make_unexpected(sent.error());
    if (!page.complete()) {
      return Fail(ApiErrorReason::kMalformed, "the API server sent an incomplete list");
    }
    return ParseObject(page.metadata());
  }

  ApiSender sender_;
};

}  // namespace

std::unique_ptr<ObjectClient> AssembleRestClient(RestClientParts parts, const Clock& clock) {
  return std::make_unique<RestClient>(std::move(parts), clock);
}

}  // namespace whimbrel::kube
