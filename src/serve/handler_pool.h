#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/http_message.h"

namespace whimbrel::serve {

/// The threads that call the handler, so that one which waits (for the API server) does not stop
/// the sockets. Thread-safe.
class HandlerPool {
 public:
  /// Called on a thread of the pool with each answer's bytes.
  using DoneFunction = std::function<void(std::uint64_t connection, std::string response)>;

  HandlerPool(int threads, Handler handler, DoneFunction done);
  /// Asks the handlers to stop, waits for them, and forgets what was not begun.
  ~HandlerPool();

  void Add(std::uint64_t connection, ParsedRequest request);

 private:
  struct Task {
    std::uint64_t connection = 0;
    ParsedRequest parsed;
  };

  void Work(const std::stop_token& stop);
  Response Call(const ParsedRequest& parsed);

  const Handler handler_;
  const DoneFunction done_;
  std::mutex mutex_;
  std::condition_variable_any added_;
  std::deque<Task> tasks_;  ///< No more than there are connections.
  std::vector<std::jthread> threads_;
};

}  // namespace whimbrel::serve
