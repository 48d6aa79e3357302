#include "cli/exit_deadline.h"

#include <unistd.h>

#include <utility>

#include "whimbrel/base/log.h"

namespace whimbrel::cli {

ExitDeadline::ExitDeadline(std::stop_token begun, std::function<SteadyTime()> deadline,
                           std::string why)
    : thread_([begun = std::move(begun), deadline = std::move(deadline),
               why = std::move(why)](const std::stop_token& called_off) {
        std::stop_source either;
        const std::stop_callback on_begin(begun, [&] { either.request_stop(); });
        const std::stop_callback on_end(called_off, [&] { either.request_stop(); });
        const Clock& clock = Clock::System();
        clock.SleepFor(Duration::max(), either.get_token());
        if (called_off.stop_requested() || !clock.SleepUntil(deadline(), called_off)) return;
        log::Error("cli", "ending at once", {{"why", why}});
        // Whatever hangs may hang destructors, too.
        _exit(1);
      }) {}

}  // namespace whimbrel::cli
