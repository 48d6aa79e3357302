#include "controller/job_builder.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "controller/job_volumes.h"

namespace whimbrel::controller {
namespace {

using kube::Json;

/// Of everybody's files in the image; no image of ours has a user of that number.
constexpr int kUser = 65532;
constexpr int kGraceSeconds = 60;
/// How long a node may be out of sight before its pod is given up and the next one starts.
constexpr int kLostNodeSeconds = 60;
/// Between the runner's own deadline and the kubelet's: the image comes before the one, and
/// cancelling, rolling back and reporting after it.
constexpr int kDeadlineMarginSeconds = 900;
/// The API server allows 256 KiB in all; webhooks and network plug-ins want some of it.
constexpr std::size_t kMaxAnnotationBytes = 262'144;
constexpr std::size_t kOthersAnnotationBytes = 16'384;

constexpr std::size_t kMaxNameBytes = 40;
constexpr std::size_t kUidBytes = 8;

std::string Key(std::string_view key) { return std::string(key); }

/// Whoever looks for pods of runs finds them by these; what the user wrote never goes before.
Json OurLabels(const Metadata& owner, const RunState& run) {
  return {{"app.kubernetes.io/name", "whimbrel"},    {"app.kubernetes.io/component", "runner"},
          {"app.kubernetes.io/part-of", "whimbrel"}, {Key(kManagedByLabel), "whimbrel"},
          {Key(kOwnerUidLabel), owner.uid},          {Key(kRunIdLabel), run.id}};
}

Json PodLabels(const DatabaseMigration& object, const RunState& run) {
  Json labels = object.spec->job.pod_labels;
  if (labels.is_null()) labels = Json::object();
  labels.update(OurLabels(object.metadata, run));
  return labels;
}

std::string ToText(const Json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

Json InlineFiles(const std::vector<InlineFile>& files) {
  Json list = Json::array();
  for (const InlineFile& file : files) list.push_back({{"name", file.name}, {"sql", file.sql}});
  return list;
}

Json PodAnnotations(const DatabaseMigration& object, const RunState& run) {
  // Nobody should end a migration in order to save a node; who wants that may say so.
  Json annotations = {{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"},
                      {"karpenter.sh/do-not-disrupt", "true"},
                      {"kubectl.kubernetes.io/default-container", kRunnerContainer}};
  for (const auto& [key, value] : object.spec->job.pod_annotations) annotations[key] = value;
  annotations[Key(report::kTaskAnnotation)] = ToText(report::ToJson(DescribeTask(object, run)));
  const std::vector<InlineFile>& files = object.spec->source.inline_files;
  if (!files.empty()) {
    annotations[Key(report::kInlineAnnotation)] = ToText(InlineFiles(files));
  }
  return annotations;
}

Result<void> CheckSize(const Json& annotations, const SourceSpec& source) {
  std::size_t bytes = kOthersAnnotationBytes;
  for (const auto& [key, value] : annotations.items()) {
    bytes += key.size() + value.get_ref<const std::string&>().size();
  }
  if (bytes <= kMaxAnnotationBytes) return {};
  return Fail(ErrorKind::kInvalidArgument,
              "the annotations of the pod would need " + std::to_string(bytes) +
                  " bytes, and Kubernetes allows " + std::to_string(kMaxAnnotationBytes) + "; " +
                  (source.inline_files.empty()
                       ? "name fewer keys in spec.source.configMaps, or write less into "
                         "spec.job.podAnnotations"
                       : "put the SQL of spec.source.inline into a ConfigMap, and name it in "
                         "spec.source.configMaps"));
}

void SetIfAny(Json& object, const char* field, const std::string& value) {
  if (!value.empty()) object[field] = value;
}

/// `usual` where the user says nothing, unless he has set the other bound: a limit below our
/// request, or a request above our limit, would be refused.
std::string Usual(const std::string& value, const std::string& other_bound, const char* usual) {
  return value.empty() && other_bound.empty() ? usual : value;
}

/// The runner holds one statement and small buffers, while the database does the work: little is
/// asked for, so that a migration finds room on a full node; memory has a limit, so that a runner
/// that goes wrong harms itself; processor time has none, since throttling would only prolong
/// locks.
Json Resources(const JobSpec& job) {
  Json requests = Json::object();
  Json limits = Json::object();
  SetIfAny(requests, "cpu", Usual(job.requests.cpu, job.limits.cpu, "50m"));
  SetIfAny(requests, "memory", Usual(job.requests.memory, job.limits.memory, "32Mi"));
  SetIfAny(requests, "ephemeral-storage", job.requests.ephemeral_storage);
  SetIfAny(limits, "cpu", job.limits.cpu);
  const std::string& at_least = job.requests.memory;
  SetIfAny(limits, "memory",
           job.limits.memory.empty() && !at_least.empty()
               ? at_least
               : Usual(job.limits.memory, at_least, "128Mi"));
  SetIfAny(limits, "ephemeral-storage", job.limits.ephemeral_storage);
  Json resources = Json::object();
  if (!requests.empty()) resources["requests"] = std::move(requests);
  if (!limits.empty()) resources["limits"] = std::move(limits);
  return resources;
}

Json Tolerations(const JobSpec& job) {
  Json list = Json::array();
  for (const TolerationSpec& from : job.tolerations) {
    Json toleration = Json::object();
    SetIfAny(toleration, "key", from.key);
    SetIfAny(toleration, "operator", from.op);
    SetIfAny(toleration, "value", from.value);
    SetIfAny(toleration, "effect", from.effect);
    if (from.seconds) toleration["tolerationSeconds"] = *from.seconds;
    list.push_back(std::move(toleration));
  }
  for (const char* key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
    list.push_back({{"key", key},
                    {"operator", "Exists"},
                    {"effect", "NoExecute"},
                    {"tolerationSeconds", kLostNodeSeconds}});
  }
  return list;
}

Json Container(const Spec& spec, const RunnerImage& image, Json mounts) {
  return {{"name", kRunnerContainer},
          {"image", image.image},
          {"imagePullPolicy", image.pull_policy},
          {"command", Json::array({"/whimbrel", "runner"})},
          {"resources", Resources(spec.job)},
          {"terminationMessagePath", "/dev/termination-log"},
          {"terminationMessagePolicy", "File"},
          {"securityContext",
           {{"allowPrivilegeEscalation", false},
            {"readOnlyRootFilesystem", true},
            {"runAsNonRoot", true},
            {"capabilities", {{"drop", Json::array({"ALL"})}}}}},
          {"volumeMounts", std::move(mounts)}};
}

/// Where the pod may run, as the user wants it.
void Place(const JobSpec& job, Json& pod) {
  SetIfAny(pod, "serviceAccountName", job.service_account);
  SetIfAny(pod, "priorityClassName", job.priority_class);
  SetIfAny(pod, "runtimeClassName", job.runtime_class);
  pod["tolerations"] = Tolerations(job);
  pod["nodeSelector"] = {{"kubernetes.io/os", "linux"}};
  for (const auto& [key, value] : job.node_selector) pod["nodeSelector"][key] = value;
  for (const std::string& name : job.image_pull_secrets) {
    pod["imagePullSecrets"].push_back({{"name", name}});
  }
}

Json PodSpec(const Spec& spec, const RunnerImage& image) {
  JobVolumes files = MountFiles(spec);
  Json pod = {
      {"restartPolicy", "Never"},
      // The pod's and not the Job's: the latter would count hours in which no node had room. The
      // runner's own deadline holds waiting for the database and for locks too, so it ends first.
      {"activeDeadlineSeconds", spec.execution.request.deadline.count() + kDeadlineMarginSeconds},
      {"terminationGracePeriodSeconds", kGraceSeconds},
      {"automountServiceAccountToken", false},
      {"enableServiceLinks", false},
      {"securityContext",
       {{"runAsNonRoot", true},
        {"runAsUser", kUser},
        {"runAsGroup", kUser},
        {"fsGroup", kUser},
        {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
      {"containers", Json::array({Container(spec, image, std::move(files.mounts))})},
      {"volumes", std::move(files.volumes)}};
  Place(spec.job, pod);
  return pod;
}

/// blockOwnerDeletion would need a right on the owner's finalizers where OpenShift looks.
Json OwnerReference(const Metadata& owner) {
  return {{"apiVersion", DatabaseMigrations().ApiVersion()},
          {"kind", DatabaseMigrations().kind},
          {"name", owner.key.name},
          {"uid", owner.uid},
          {"controller", true},
          {"blockOwnerDeletion", false}};
}

Json JobMetadata(const Metadata& owner, const RunState& run, int number,
                 const std::vector<ResolvedObject>& resolved) {
  return {{"name", JobName(owner, number)},
          {"namespace", owner.key.ns},
          {"labels", OurLabels(owner, run)},
          {"annotations",
           {{Key(kOwnerNameAnnotation), owner.key.name},
            {Key(kDigestAnnotation), run.source_digest},
            {Key(kNumberAnnotation), std::to_string(number)},
            {Key(kResolvedAnnotation), FormatResolved(resolved)}}},
          {"ownerReferences", Json::array({OwnerReference(owner)})}};
}

}  // namespace

std::string JobName(const Metadata& owner, int number) {
  std::string name = owner.key.name.substr(0, kMaxNameBytes);
  // It becomes a label and a host name, which have no dots.
  for (char& c : name) c = c == '.' ? '-' : c;
  while (name.ends_with('-')) name.pop_back();
  return name + "-" + owner.uid.substr(0, kUidBytes) + "-" + std::to_string(number);
}

Result<Json> BuildJob(const DatabaseMigration& object, const RunState& run, int number,
                      const std::vector<ResolvedObject>& resolved, const RunnerImage& image) {
  const Spec& spec = *object.spec;
  Json annotations = PodAnnotations(object, run);
  if (Result<void> fits = CheckSize(annotations, spec.source); !fits) {
    return tl::make_unexpected(std::move(fits).error());
  }
  Json job = {{"apiVersion", kube::Jobs().ApiVersion()},
              {"kind", kube::Jobs().kind},
              {"metadata", JobMetadata(object.metadata, run, number, resolved)},
              {"spec",
               {{"completions", 1},
                {"parallelism", 1},
                {"backoffLimit", 0},                 // Trying again is the controller's decision.
                {"podReplacementPolicy", "Failed"},  // Never two at once.
                {"template",
                 {{"metadata",
                   {{"labels", PodLabels(object, run)}, {"annotations", std::move(annotations)}}},
                  {"spec", PodSpec(spec, image)}}}}}};
  if (const auto& seconds = spec.job.ttl_seconds_after_finished) {
    job["spec"]["ttlSecondsAfterFinished"] = *seconds;
  }
  return job;
}

}  // namespace whimbrel::controller
