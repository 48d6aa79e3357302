#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "serve/http_message.h"
#include "serve/stream.h"
#include "whimbrel/base/clock.h"

namespace whimbrel::serve {

/// One request and its answer, moved on whenever its socket is ready. For one thread.
class Connection {
 public:
  Connection(std::unique_ptr<Stream> stream, std::chrono::milliseconds limit);

  /// Moves on as far as it goes without waiting. Returns the request once it is complete; then
  /// Answer is due, and there is no deadline until it comes.
  std::optional<ParsedRequest> Advance();
  void Answer(std::string response);

  [[nodiscard]] bool closed() const { return state_ == State::kClosed; }
  /// The handler has it.
  [[nodiscard]] bool handled() const { return state_ == State::kHandled; }
  /// By when it must have come to an end; without one while it is handled.
  [[nodiscard]] SteadyTime deadline() const;
  [[nodiscard]] int fd() const { return stream_->fd(); }
  /// What poll(2) is to wait for; not to be asked while it is handled.
  [[nodiscard]] short events() const;

 private:
  enum class State {
    kReading,   ///< The request.
    kHandled,   ///< Somebody makes the answer.
    kWriting,   ///< The answer.
    kDraining,  ///< Until the client closes: a reset could take the answer away from it.
    kClosed,
  };

  std::optional<ParsedRequest> ReadRequest();
  void WriteAnswer();
  void Drain();
  void Wait(Transfer::Outcome outcome);
  void StartClock();

  std::unique_ptr<Stream> stream_;
  const std::chrono::milliseconds limit_;
  SteadyTime deadline_;
  State state_ = State::kReading;
  bool wants_write_ = false;
  std::string input_;
  std::string output_;
  std::size_t written_ = 0;
};

}  // namespace whimbrel::serve
