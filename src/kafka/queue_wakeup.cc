#include "kafka/queue_wakeup.h"

#include <sys/eventfd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace outrigger::kafka {

struct QueueWakeup::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& context, std::function<void()> call)
      : descriptor(context, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), on_events(std::move(call)) {}

  void Read() {
    descriptor.async_read_some(
        boost::asio::buffer(&count, sizeof count),
        [self = shared_from_this()](const boost::system::error_code& error, size_t) {
          if (error || self->stopped) return;
          self->Read();  // first, because the call may throw
          self->on_events();
        });
  }

  boost::asio::posix::stream_descriptor descriptor;
  std::function<void()> on_events;
  uint64_t count = 0;
  bool stopped = false;
};

QueueWakeup::QueueWakeup(base::Loop& loop, std::function<void()> on_events)
    : state_(std::make_shared<State>(loop.context(), std::move(on_events))) {
  state_->Read();
}

QueueWakeup::~QueueWakeup() {
  Stop();
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

void QueueWakeup::TellOf(rd_kafka_queue_t* queue) {
  static const uint64_t kOne = 1;
  rd_kafka_queue_io_event_enable(queue, state_->descriptor.native_handle(), &kOne, sizeof kOne);
}

void QueueWakeup::Stop() { state_->stopped = true; }

bool QueueWakeup::stopped() const { return state_->stopped; }

}  // namespace outrigger::kafka
