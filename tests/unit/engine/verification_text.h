#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/verifier.h"
#include "whimbrel/sql/statement_facts.h"

namespace whimbrel::engine {

/// The verifier that a statement has without a directive.
inline std::unique_ptr<Verifier> VerifierOf(std::string_view statement) {
  auto verifier = MakeVerifier(statement, sql::Classify(statement), true, false);
  if (!verifier) throw std::runtime_error(verifier.error().ToString());
  return std::move(*verifier);
}

inline std::string Lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text.append(text.empty() ? "" : "\n").append(line);
  return text;
}

/// `run`, `run after …`, `run instead …`, `done`, or `refuse: ` and the message.
inline std::string ToText(const Verification& verification) {
  switch (verification.verdict) {
    case Verification::Verdict::kDone:
      return "done";
    case Verification::Verdict::kRefuse:
      if (verification.hint.empty()) throw std::runtime_error("a refusal has to say what to do");
      return "refuse: " + verification.message;
    case Verification::Verdict::kRun:
      break;
  }
  std::string text = "run";
  if (!verification.before.empty()) text += " after " + Lines(verification.before);
  if (!verification.instead.empty()) text += " instead " + verification.instead;
  return text;
}

}  // namespace whimbrel::engine
