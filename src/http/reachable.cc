#include "http/reachable.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

namespace outrigger::http {

using boost::asio::ip::tcp;
using boost::system::error_code;
using Local = boost::asio::local::stream_protocol;

struct Reachable::Try {
  Try(boost::asio::io_context& context, std::function<void(std::string)> call)
      : resolver(context), socket(context), local(context), on_answer(std::move(call)) {}

  void Answer(const std::string& why_not) {
    error_code ignored;
    resolver.cancel();
    socket.close(ignored);
    local.close(ignored);
    if (const auto call = std::exchange(on_answer, nullptr)) call(why_not);
  }
  void OnConnected(const error_code& error) {
    // The queue of a Unix socket is full: the app listens, and is busy.
    const bool listens = !error || error == boost::asio::error::no_buffer_space;
    Answer(listens ? std::string() : error.message());
  }

  tcp::resolver resolver;
  tcp::socket socket;
  Local::socket local;
  std::function<void(std::string)> on_answer;  // null: answered or cancelled
};

Reachable::Reachable(base::Loop& loop, Endpoint endpoint)
    : loop_(loop), endpoint_(std::move(endpoint)) {}

Reachable::~Reachable() {
  if (try_) try_->on_answer = nullptr;
}

void Reachable::Ask(std::chrono::milliseconds at_most, std::function<void(std::string)> on_answer) {
  if (try_) try_->on_answer = nullptr;
  try_ = std::make_shared<Try>(loop_.context(), std::move(on_answer));
  deadline_ = loop_.After(at_most, [self = try_] { self->Answer("no answer in time"); });
  if (!endpoint_.unix_path.empty()) {
    // A path too long for a socket's address was refused with the config.
    try_->local.async_connect(Local::endpoint(endpoint_.unix_path),
                              [self = try_](const error_code& error) { self->OnConnected(error); });
    return;
  }
  try_->resolver.async_resolve(
      endpoint_.host, std::to_string(endpoint_.port), tcp::resolver::numeric_service,
      [self = try_](const error_code& error, const tcp::resolver::results_type& results) {
        if (error || !self->on_answer) return self->OnConnected(error);
        boost::asio::async_connect(
            self->socket, results,
            [self](const error_code& failed, const tcp::endpoint&) { self->OnConnected(failed); });
      });
}

}  // namespace outrigger::http
