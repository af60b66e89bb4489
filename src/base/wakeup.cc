#include "base/wakeup.h"

#include <sys/eventfd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace outrigger::base {

struct Wakeup::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& context, std::function<void()> call)
      : descriptor(context, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), on_wake(std::move(call)) {}

  void Read() {
    descriptor.async_read_some(
        boost::asio::buffer(&count, sizeof count),
        [self = shared_from_this()](const boost::system::error_code& error, size_t) {
          if (error || self->stopped) return;
          self->Read();
          self->on_wake();
        });
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> on_wake;
  uint64_t count = 0;
  bool stopped = false;
};

Wakeup::Wakeup(Loop& loop, std::function<void()> on_wake)
    : state_(std::make_shared<State>(loop.context(), std::move(on_wake))) {
  state_->Read();
}

Wakeup::~Wakeup() {
  Stop();
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

int Wakeup::descriptor() const { return state_->descriptor.native_handle(); }

void Wakeup::Stop() { state_->stopped = true; }

bool Wakeup::stopped() const { return state_->stopped; }

}  // namespace outrigger::base
