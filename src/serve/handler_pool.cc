#include "serve/handler_pool.h"

#include <exception>
#include <utility>

#include "whimbrel/base/log.h"

namespace whimbrel::serve {

HandlerPool::HandlerPool(int threads, Handler handler, DoneFunction done)
    : handler_(std::move(handler)), done_(std::move(done)) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Work(stop); });
  }
}

HandlerPool::~HandlerPool() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

void HandlerPool::Add(std::uint64_t connection, ParsedRequest request) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back({connection, std::move(request)});
  }
  added_.notify_one();
}

void HandlerPool::Work(const std::stop_token& stop) {
  while (true) {
    std::unique_lock lock(mutex_);
    if (!added_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task.parsed.request.stop = stop;
    done_(task.connection, FormatResponse(Call(task.parsed), task.parsed.head_only));
    if (stop.stop_requested()) return;
  }
}

Response HandlerPool::Call(const ParsedRequest& parsed) {
  if (parsed.error != 0) return PlainResponse(parsed.error);
  try {
    return handler_(parsed.request);
  } catch (const std::exception& error) {
    log::Error("serve", "a handler threw",
               {{"path", parsed.request.path}, {"error", error.what()}});
    return PlainResponse(500);
  }
}

}  // namespace whimbrel::serve
