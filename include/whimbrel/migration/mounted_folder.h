#pragma once

#include <map>
#include <string>

#include "whimbrel/base/error.h"

namespace whimbrel::migration {

/// Keys with their bytes.
using MountedFiles = std::map<std::string, std::string, std::less<>>;

/// The keys of a ConfigMap, Secret or downward API volume, all of one version of the object: the
/// kubelet writes each version into a folder of its own, which the symbolic link `..data` names,
/// and swaps that link (kubernetes/pkg/volume/util/atomic_writer.go). Keys that begin with a dot
/// are keys; no key begins with two. A plain folder without `..data` is read as it is. Folders in
/// it are passed over.
///
/// An optional object that does not exist is an empty folder. Errors name the path: kNotFound,
/// kPermissionDenied, kInvalidArgument (more than kMaxMemoryFileBytes in a file), kUnavailable
/// (cannot be read now, or another version came each time that it was read).
[[nodiscard]] Result<MountedFiles> ReadMountedFolder(const std::string& folder);

}  // namespace whimbrel::migration
