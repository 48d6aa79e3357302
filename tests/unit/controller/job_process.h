#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "unit/controller/fake_runner.h"
#include "unit/kube/connect.h"
#include "whimbrel/controller/controller.h"

namespace whimbrel::controller::testing {

inline constexpr const char* kRunnerImage = "registry.example/whimbrel:1";

using kube::Connect;

/// A controller whose runs are Jobs; a runner of its own that nobody may use.
struct JobProcess {
  JobProcess(const std::filesystem::path& kubeconfig, const std::string& ns)
      : client(Connect(kubeconfig)),
        controller(*client, runner,
                   {.namespaces = {ns},
                    .resync = std::chrono::seconds(1),
                    .runner = {.image = kRunnerImage}}) {
    const Result<void> started = controller.Start();
    EXPECT_TRUE(started) << started.error().message;
  }
  ~JobProcess() {
    controller.Stop();
    EXPECT_EQ(runner.started(), 0u);
  }
  JobProcess(const JobProcess&) = delete;
  JobProcess& operator=(const JobProcess&) = delete;

  FakeRunner runner;
  std::unique_ptr<kube::ObjectClient> client;
  Controller controller;
};

}  // namespace whimbrel::controller::testing
