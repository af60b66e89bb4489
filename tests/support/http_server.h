// A server on a thread of its own, and a client that speaks to it byte by byte.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "http/server.h"

namespace outrigger::http::test {

// A blocking client. Every read gives up after 5 s, so that a bug fails and does not hang.
class Client {
 public:
  explicit Client(uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Connect(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  explicit Client(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    Connect(reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { Close(); }

  bool connected() const { return connected_; }
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void EndSending() { shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

  // One answer: its head and as many bytes as it says; `head_only` for HEAD and 100.
  struct Answer {
    int status = 0;
    std::string head, body;
    bool Has(const std::string& line) const { return head.find(line) != std::string::npos; }
  };
  Answer Read(bool head_only = false) {
    Answer answer;
    size_t end;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos)
      if (!Fill()) return answer;
    answer.head = in_.substr(0, end + 2);
    in_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const size_t at = answer.head.find("Content-Length: ");
    if (head_only || at == std::string::npos) return answer;
    const size_t length = std::stoul(answer.head.substr(at + 16));
    while (in_.size() < length)
      if (!Fill()) return answer;
    answer.body = in_.substr(0, length);
    in_.erase(0, length);
    return answer;
  }
  // Whether the server closed, with nothing more before that.
  bool Ended() {
    while (Fill()) {
    }
    return in_.empty() && ended_;
  }

 private:
  void Connect(const sockaddr* address, socklen_t length) {
    const timeval limit{5, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    connected_ = connect(fd_, address, length) == 0;
  }
  bool Fill() {
    char bytes[4096];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ended_ = got == 0;
      return false;
    }
    in_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string in_;
};

inline Response Echo(Request& request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.head().method + " " + request.head().path + " " + request.body();
  return response;
}

inline Handler EchoHandler() {
  Handler handler;
  handler.on_head = [](const std::shared_ptr<Request>&) { return Plan(); };
  handler.on_request = [](const std::shared_ptr<Request>& request) {
    request->Answer(Echo(*request));
  };
  return handler;
}

// A server whose loop runs on a thread of its own.
class Running {
 public:
  explicit Running(Handler handler = EchoHandler(), Limits limits = {})
      : server_(std::make_unique<Server>(loop_, std::move(limits), std::move(handler))) {
    const auto port = server_->ListenTcp("127.0.0.1:0");
    EXPECT_TRUE(port);
    port_ = port ? *port : 0;
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~Running() {
    On([this] { server_.reset(); });
    loop_.Stop();
    thread_.join();
  }

  uint16_t port() const { return port_; }
  Server& server() { return *server_; }
  base::Loop& loop() { return loop_; }

  // Runs `call` on the loop's thread and waits for it.
  void On(const std::function<void()>& call) {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    loop_.Post([&] {
      call();
      const std::lock_guard lock(mutex);
      done = true;
      changed.notify_one();
    });
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done; });
  }
  // Asks on the loop's thread until it is so; false after 5 s.
  bool Until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    bool so = false;
    while (!so && std::chrono::steady_clock::now() < end) On([&] { so = is_so(); });
    return so;
  }

 private:
  base::Loop loop_;
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
  std::thread thread_;
};

inline std::string Get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n";
}
inline std::string Post(const std::string& path, const std::string& body,
                        const std::string& lines = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: a\r\n" + lines +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
inline const std::string kChunkedHead =
    "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace outrigger::http::test
