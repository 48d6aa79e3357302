#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace whimbrel::controller {

/// The twins of the CEL rules about spec.job; appends what is broken (whimbrel/controller/
/// validation.h).
void CheckJobRules(const nlohmann::json& spec, std::vector<std::string>& messages);

}  // namespace whimbrel::controller
