#pragma once

#include <sys/types.h>

#include <filesystem>

#include "whimbrel/base/file_descriptor.h"

namespace whimbrel::testing {

/// A small process that ends another one, and removes a folder, when the test process is gone: it
/// waits for the end of a pipe whose other end only the test process holds. So nothing survives a
/// test that crashed, was interrupted or was killed. Destroying the guardian dismisses it.
class Guardian {
 public:
  /// Sends `signal` to `process`, and SIGKILL where it is still there five seconds later.
  Guardian(pid_t process, int signal, const std::filesystem::path& folder_to_remove);
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

 private:
  FileDescriptor our_end_;
  pid_t guardian_ = -1;
};

}  // namespace whimbrel::testing
