#include "serve/connection.h"

#include <poll.h>

#include <array>
#include <utility>

namespace whimbrel::serve {

using Outcome = Transfer::Outcome;

Connection::Connection(std::unique_ptr<Stream> stream, std::chrono::milliseconds limit)
    : stream_(std::move(stream)), limit_(limit) {
  StartClock();
}

void Connection::StartClock() { deadline_ = std::chrono::steady_clock::now() + limit_; }

SteadyTime Connection::deadline() const { return handled() ? SteadyTime::max() : deadline_; }

short Connection::events() const { return wants_write_ ? POLLOUT : POLLIN; }

std::optional<ParsedRequest> Connection::Advance() {
  std::optional<ParsedRequest> request;
  if (state_ == State::kReading) request = ReadRequest();
  if (state_ == State::kWriting) WriteAnswer();
  if (state_ == State::kDraining) Drain();
  return request;
}

void Connection::Answer(std::string response) {
  output_ = std::move(response);
  state_ = State::kWriting;
  StartClock();
  Advance();
}

void Connection::Wait(Outcome outcome) {
  if (outcome == Outcome::kClosed) state_ = State::kClosed;
  wants_write_ = outcome == Outcome::kWantWrite;
}

std::optional<ParsedRequest> Connection::ReadRequest() {
  while (true) {
    std::array<char, kMaxRequestBytes> buffer{};
    const std::size_t room = kMaxRequestBytes - input_.size();
    const Transfer read = stream_->Read(std::span(buffer).first(room));
    if (read.outcome != Outcome::kMoved) {
      Wait(read.outcome);
      return std::nullopt;
    }
    input_.append(buffer.data(), read.bytes);
    std::optional<ParsedRequest> request = ParseRequest(input_);
    if (!request) continue;
    state_ = State::kHandled;
    return request;
  }
}

void Connection::WriteAnswer() {
  while (written_ < output_.size()) {
    const Transfer write = stream_->Write(std::string_view(output_).substr(written_));
    if (write.outcome != Outcome::kMoved) return Wait(write.outcome);
    written_ += write.bytes;
  }
  stream_->EndWrite();
  state_ = State::kDraining;
}

void Connection::Drain() {
  std::array<char, 1024> buffer{};
  // Once only: whoever sends without end must not keep the thread.
  const Transfer read = stream_->Read(buffer);
  Wait(read.outcome == Outcome::kMoved ? Outcome::kWantRead : read.outcome);
}

}  // namespace whimbrel::serve
