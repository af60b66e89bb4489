#include "http/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <optional>

#include "http/server.h"

namespace outrigger::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A loop that the test drives, with a clock that it turns. Waiting gives up after 5 s of real time,
// so that a bug fails and does not hang.
struct Driven {
  bool Until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + seconds(30);
    while (std::chrono::steady_clock::now() < end) {
      loop.RunReady();
      if (is_so()) return true;
    }
    return false;
  }
  void Turn(milliseconds by) { loop.Advance(clock, by); }

  base::ManualClock clock;
  base::Loop loop{clock.clock()};
};

// The app's end of a connection; every wait drives the client's loop.
class Peer {
 public:
  Peer(Driven& driven, int fd) : driven_(driven), fd_(fd) {}
  Peer(Peer&& other) noexcept
      : driven_(other.driven_), fd_(std::exchange(other.fd_, -1)), in_(std::move(other.in_)) {}
  ~Peer() { Close(); }

  // One request, its head and as much as its Content-Length says.
  std::string Request() {
    std::string request;
    driven_.Until([&] {
      const size_t end = in_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const size_t at = in_.find("Content-Length: ");
        const size_t size = end + 4 + (at < end ? std::stoul(in_.substr(at + 16)) : 0);
        if (in_.size() >= size) {
          request = in_.substr(0, size);
          in_.erase(0, size);
          return true;
        }
      }
      return !Fill();
    });
    return request;
  }
  // False when the client closed before all was sent.
  bool Send(std::string_view bytes) {
    return driven_.Until([&] {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
      failed_ = sent < 0 && errno != EAGAIN;
      return bytes.empty() || failed_;
    }) && !failed_;
  }
  // Without turning the client's loop, which sees nothing of it yet.
  void SendUnseen(std::string_view bytes) {
    ASSERT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
              static_cast<ssize_t>(bytes.size()));
  }
  void Answer(const std::string& body) {
    ASSERT_TRUE(Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\n\r\n" + body));
  }
  // Whether the client closed.
  bool Ended() {
    return driven_.Until([&] { return !Fill(); });
  }
  bool EndedByNow() {
    driven_.loop.RunReady();
    return !Fill();
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  // False at the end.
  bool Fill() {
    char bytes[64 << 10];
    const ssize_t got = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) in_.append(bytes, static_cast<size_t>(got));
    return got > 0 || (got < 0 && errno == EAGAIN);
  }

  Driven& driven_;
  int fd_;
  bool failed_ = false;
  std::string in_;
};

// What an app listens with.
class App {
 public:
  explicit App(Driven& driven, int family = AF_INET)
      : driven_(driven), fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    if (family == AF_INET)
      Listen(reinterpret_cast<sockaddr*>(&v4), sizeof v4, 128);
    else
      Listen(reinterpret_cast<sockaddr*>(&v6), sizeof v6, 128);
    sockaddr_in6 bound{};
    socklen_t size = sizeof bound;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &size);
    port_ = ntohs(bound.sin6_port);  // it lies where that of IPv4 does
  }
  App(Driven& driven, const std::string& path, int queue)
      : driven_(driven), fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    Listen(reinterpret_cast<sockaddr*>(&address), sizeof address, queue);
  }
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  ~App() { Close(); }

  bool listening() const { return listening_; }
  uint16_t port() const { return port_; }
  Endpoint endpoint() const { return {"127.0.0.1", port_, {}}; }
  Peer Accept() {
    int fd = -1;
    EXPECT_TRUE(driven_.Until([&] { return (fd = accept(fd_, nullptr, nullptr)) >= 0; }));
    return {driven_, fd};
  }
  bool NobodyComes() {
    driven_.loop.RunReady();
    return accept(fd_, nullptr, nullptr) < 0;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  void Listen(const sockaddr* address, socklen_t size, int queue) {
    listening_ = bind(fd_, address, size) == 0 && listen(fd_, queue) == 0;
  }

  Driven& driven_;
  int fd_;
  bool listening_ = false;
  uint16_t port_ = 0;
};

// What came of a call.
struct Result {
  int calls = 0;
  std::optional<Outcome> outcome;

  OnAnswer Take() {
    return [this](Outcome came) {
      ++calls;
      outcome = std::move(came);
    };
  }
  bool ok() const { return outcome && *outcome; }
  std::string body() const { return ok() ? (*outcome)->body : "-"; }
  int status() const { return ok() ? (*outcome)->status : 0; }
  bool Failed(Failure failure) const {
    return outcome && !*outcome && outcome->error().failure == failure;
  }
  std::string message() const { return outcome && !*outcome ? outcome->error().message : "-"; }
  bool sent() const { return outcome && !*outcome && outcome->error().sent; }
  bool unread() const { return outcome && !*outcome && outcome->error().unread; }
};

Call Post(const std::string& path, const std::string& body = "") {
  Call call;
  call.path = path;
  call.body = body;
  return call;
}

ClientLimits Limits(size_t connections) {
  ClientLimits limits;
  limits.max_connections = connections;
  return limits;
}

class ClientTest : public testing::Test {
 protected:
  void Make(ClientLimits limits = {}) {
    client = std::make_unique<Client>(driven.loop, app.endpoint(), limits);
  }
  bool Done(const Result& result) {
    return driven.Until([&] { return result.calls > 0; });
  }
  // A call answered on a connection that is then kept.
  Peer Kept() {
    Result first;
    client->Send(Post("/first"), first.Take());
    Peer peer = app.Accept();
    EXPECT_NE(peer.Request(), "");
    peer.Answer("");
    EXPECT_TRUE(Done(first));
    EXPECT_TRUE(first.ok());
    return peer;
  }

  Driven driven;
  App app{driven};
  std::unique_ptr<Client> client;
};

// ---- calls and answers

TEST_F(ClientTest, SendsTheCallAndGivesTheAnswer) {
  Make();
  Result result;
  Call call = Post("/h/x?y=1", "hello");
  call.headers.Add("content-type", "text/plain");
  call.headers.Add("ce-id", "7");
  EXPECT_GT(client->Send(std::move(call), result.Take()), 0U);
  EXPECT_EQ(client->in_flight(), 1U);
  Peer peer = app.Accept();
  EXPECT_EQ(peer.Request(),
            "POST /h/x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(app.port()) +
                "\r\ncontent-type: text/plain\r\nce-id: 7\r\n"
                "Content-Length: 5\r\n\r\nhello");
  ASSERT_TRUE(peer.Send("HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\nno"));
  ASSERT_TRUE(Done(result));
  EXPECT_EQ(result.status(), 429);
  EXPECT_EQ(result.body(), "no");
  EXPECT_EQ((*result.outcome)->Find("retry-after"), "3");
  EXPECT_EQ(client->in_flight(), 0U);
}

TEST_F(ClientTest, ReadsAnAnswerThatComesByteByByte) {
  Make();
  Result result;
  client->Send(Post("/"), result.Take());
  Peer peer = app.Accept();
  peer.Request();
  for (const char c : std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\n"
                                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "3\r\nabc\r\n0\r\nT: t\r\n\r\n")) {
    ASSERT_TRUE(peer.Send(std::string_view(&c, 1)));
    driven.loop.RunReady();
  }
  ASSERT_TRUE(Done(result));
  EXPECT_EQ(result.body(), "abc");
}

TEST_F(ClientTest, SendsALargeBodyWholeToASlowReader) {
  Make();
  Result result;
  const std::string large(8 << 20, 'x');
  client->Send(Post("/", large), result.Take());
  Peer peer = app.Accept();
  const std::string request = peer.Request();
  EXPECT_TRUE(request.size() > large.size() &&
              request.compare(request.size() - large.size(), large.size(), large) == 0);
  peer.Answer("ok");
  ASSERT_TRUE(Done(result));
  EXPECT_EQ(result.body(), "ok");
  client->Send(Post("/"), result.Take());
  EXPECT_NE(peer.Request(), "");  // on the same connection
}

TEST_F(ClientTest, TakesAnAnswerThatComesBeforeTheRequestsEnd) {
  Make();
  Result result;
  client->Send(Post("/", std::string(20 << 20, 'x')), result.Take());
  Peer peer = app.Accept();
  ASSERT_TRUE(peer.Send("HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_TRUE(Done(result));
  EXPECT_EQ(result.status(), 413);
  EXPECT_EQ(client->connections(), 0U);
}

TEST_F(ClientTest, AnswersWithoutABodyAndUntilTheEnd) {
  Make();
  Peer peer = Kept();
  for (const char* head :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n"}) {
    Result result;
    client->Send(Post("/"), result.Take());
    ASSERT_NE(peer.Request(), "");
    ASSERT_TRUE(peer.Send(head));
    ASSERT_TRUE(Done(result));
    EXPECT_TRUE(result.ok()) << result.message();
  }
  Result head;
  Call call = Post("/");
  call.method = "HEAD";
  client->Send(std::move(call), head.Take());
  EXPECT_EQ(peer.Request().find("Content-Length"), std::string::npos);
  ASSERT_TRUE(peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"));
  ASSERT_TRUE(Done(head));
  EXPECT_EQ(head.status(), 200);
  Result until_end;
  client->Send(Post("/"), until_end.Take());
  ASSERT_NE(peer.Request(), "");
  ASSERT_TRUE(peer.Send("HTTP/1.0 200 OK\r\n\r\nabc"));
  peer.Close();
  ASSERT_TRUE(Done(until_end));
  EXPECT_EQ(until_end.body(), "abc");
}

TEST_F(ClientTest, WorksWithTheProjectsOwnServer) {
  Handler handler;
  handler.on_head = [](const std::shared_ptr<Request>&) { return Plan(); };
  handler.on_request = [](const std::shared_ptr<Request>& request) {
    Response response;
    response.body = request->head().path + " " + request->body();
    request->Answer(std::move(response));
  };
  Server server(driven.loop, {}, handler);
  const auto port = server.ListenTcp("127.0.0.1:0");
  ASSERT_TRUE(port);
  client = std::make_unique<Client>(driven.loop, Endpoint{"127.0.0.1", *port, {}}, Limits(3));
  std::vector<Result> results(50);
  for (size_t i = 0; i < results.size(); ++i)
    client->Send(Post("/" + std::to_string(i), "b"), results[i].Take());
  ASSERT_TRUE(driven.Until([&] { return client->in_flight() == 0; }));
  for (size_t i = 0; i < results.size(); ++i)
    EXPECT_EQ(results[i].body(), "/" + std::to_string(i) + " b");
  EXPECT_EQ(server.connections(), 3U);
}

// ---- the pool

TEST_F(ClientTest, KeepsAConnectionForTheNextCall) {
  Make();
  Peer peer = Kept();
  for (int i = 0; i < 5; ++i) {
    Result result;
    client->Send(Post("/"), result.Take());
    ASSERT_NE(peer.Request(), "");
    peer.Answer(std::to_string(i));
    ASSERT_TRUE(Done(result));
    EXPECT_EQ(result.body(), std::to_string(i));
  }
  EXPECT_TRUE(app.NobodyComes());
  EXPECT_EQ(client->connections(), 1U);
}

TEST_F(ClientTest, OpensNoMoreThanItMayAndServesTheOthersInOrder) {
  Make(Limits(2));
  std::vector<Result> results(6);
  std::string order;
  for (size_t i = 0; i < results.size(); ++i) {
    client->Send(Post("/" + std::to_string(i)), [&, i](Outcome outcome) {
      order += std::to_string(i);
      results[i].Take()(std::move(outcome));
    });
  }
  EXPECT_EQ(client->in_flight(), 6U);
  Peer one = app.Accept(), two = app.Accept();
  EXPECT_TRUE(app.NobodyComes());
  EXPECT_EQ(client->connections(), 2U);
  EXPECT_EQ(one.Request().substr(0, 7), "POST /0");
  EXPECT_EQ(two.Request().substr(0, 7), "POST /1");
  for (size_t i = 2; i < results.size(); ++i) {
    two.Answer("");
    EXPECT_EQ(two.Request().substr(0, 7), "POST /" + std::to_string(i));
  }
  two.Answer("");
  one.Answer("");
  ASSERT_TRUE(driven.Until([&] { return client->in_flight() == 0; }));
  EXPECT_EQ(order, "123450");
  EXPECT_TRUE(app.NobodyComes());
}

TEST_F(ClientTest, TakesTheConnectionThatWasUsedLast) {
  Make();
  Result a, b, c;
  client->Send(Post("/a"), a.Take());
  client->Send(Post("/b"), b.Take());
  Peer one = app.Accept(), two = app.Accept();
  one.Request();
  two.Request();
  two.Answer("");
  ASSERT_TRUE(driven.Until([&] { return client->in_flight() == 1; }));
  one.Answer("");
  ASSERT_TRUE(driven.Until([&] { return client->in_flight() == 0; }));
  client->Send(Post("/c"), c.Take());
  EXPECT_EQ(one.Request().substr(0, 7), "POST /c");
}

TEST_F(ClientTest, ClosesAConnectionThatWasIdleTooLong) {
  ClientLimits limits;
  limits.idle = milliseconds(1000);
  Make(limits);
  Peer peer = Kept();
  driven.Turn(milliseconds(990));
  EXPECT_EQ(client->connections(), 1U);
  driven.Turn(milliseconds(20));
  EXPECT_EQ(client->connections(), 0U);
  EXPECT_TRUE(peer.Ended());
}

TEST_F(ClientTest, ForgetsAnIdleConnectionThatTheAppCloses) {
  Make();
  Peer peer = Kept();
  peer.Close();
  EXPECT_TRUE(driven.Until([&] { return client->connections() == 0; }));
}

TEST_F(ClientTest, DoesNotUseAConnectionWithBytesThatNobodyAskedFor) {
  Make();
  {  // behind the answer
    Result result;
    client->Send(Post("/"), result.Take());
    Peer peer = app.Accept();
    peer.Request();
    ASSERT_TRUE(peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK"));
    ASSERT_TRUE(Done(result));
    EXPECT_EQ(result.body(), "a");
    EXPECT_EQ(client->connections(), 0U);
  }
  Peer kept = Kept();  // and later, before the loop saw it
  ASSERT_EQ(client->connections(), 1U);
  Result result;
  kept.Answer("an answer to nothing");
  client->Send(Post("/real"), result.Take());
  Peer fresh = app.Accept();
  EXPECT_EQ(fresh.Request().substr(0, 10), "POST /real");
  fresh.Answer("real");
  ASSERT_TRUE(Done(result));
  EXPECT_EQ(result.body(), "real");
}

TEST_F(ClientTest, ClosesWhenTheAnswerSaysSo) {
  Make();
  Result result;
  client->Send(Post("/"), result.Take());
  Peer peer = app.Accept();
  peer.Request();
  ASSERT_TRUE(peer.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
  ASSERT_TRUE(Done(result));
  EXPECT_TRUE(result.ok());
  EXPECT_TRUE(peer.Ended());
  EXPECT_EQ(client->connections(), 0U);
}

// ---- cut

TEST_F(ClientTest, AFreshConnectionThatEndsIsCut) {
  Make();
  for (const char* part : {"", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}) {
    Result result;
    client->Send(Post("/"), result.Take());
    Peer peer = app.Accept();
    peer.Request();
    ASSERT_TRUE(peer.Send(part));
    peer.Close();
    ASSERT_TRUE(Done(result));
    EXPECT_TRUE(result.Failed(Failure::kCut)) << result.message();
    EXPECT_TRUE(result.sent());
    EXPECT_TRUE(app.NobodyComes());
  }
}

constexpr char kEmptyAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST_F(ClientTest, ACallThatTheAppMayHaveReadIsNotSentAgain) {
  Make();
  for (const size_t body : {size_t{0}, size_t{100}, size_t{1} << 20}) {
    Peer kept = Kept();
    Result result;
    client->Send(Post("/again", std::string(body, 'x')), result.Take());
    if (body < 1000) {
      ASSERT_NE(kept.Request(), "");
    }
    driven.loop.RunReady();
    kept.Close();  // of the large one nothing was read; who could tell?
    ASSERT_TRUE(Done(result));
    EXPECT_TRUE(result.Failed(Failure::kCut)) << result.message();
    EXPECT_TRUE(result.sent());
    EXPECT_TRUE(app.NobodyComes());
  }
}

// The app closes behind its answer, and the next call goes out before that is seen.
TEST_F(ClientTest, ACallThatCameToAClosedConnectionIsSentAgainOnceUnseen) {
  Make();
  Result first, second;
  const OnAnswer take = first.Take();
  client->Send(Post("/first"), [&](Outcome outcome) {
    take(std::move(outcome));
    client->Send(Post("/again", "body"), second.Take());
  });
  {
    Peer kept = app.Accept();
    kept.Request();
    kept.SendUnseen(kEmptyAnswer);
  }
  {
    Peer fresh = app.Accept();
    const std::string request = fresh.Request();
    EXPECT_TRUE(first.ok());
    EXPECT_EQ(request.substr(0, 11), "POST /again");
    EXPECT_EQ(request.substr(request.size() - 4), "body");
    EXPECT_EQ(second.calls, 0);
    EXPECT_EQ(client->in_flight(), 1U);
  }  // and this one ends too
  ASSERT_TRUE(Done(second));
  EXPECT_TRUE(second.Failed(Failure::kCut));
  EXPECT_TRUE(app.NobodyComes());
}

TEST_F(ClientTest, ACallThatCameToAClosedConnectionOfAnAppThatIsGoneIsRefused) {
  Make();
  Result first, second;
  const OnAnswer take = first.Take();
  client->Send(Post("/first"), [&](Outcome outcome) {
    take(std::move(outcome));
    client->Send(Post("/again"), second.Take());
  });
  {
    Peer kept = app.Accept();
    kept.Request();
    kept.SendUnseen(kEmptyAnswer);
    app.Close();
  }
  ASSERT_TRUE(Done(second));
  EXPECT_TRUE(second.Failed(Failure::kRefused)) << second.message();
  EXPECT_FALSE(second.sent()) << "it can't have been seen: no attempt";
}

TEST_F(ClientTest, AKeptConnectionThatEndedBeforeTheCallIsReplaced) {
  Make();
  Peer kept = Kept();
  kept.Close();
  Result result;
  client->Send(Post("/"), result.Take());  // the loop has not seen the end yet
  Peer fresh = app.Accept();
  fresh.Request();
  fresh.Answer("fresh");
  ASSERT_TRUE(Done(result));
  EXPECT_EQ(result.body(), "fresh");
}

TEST_F(ClientTest, ASecondTryDoesNotTakeAnotherKeptConnection) {
  Make(Limits(2));
  Result a, b, c;
  const OnAnswer take = b.Take();
  client->Send(Post("/a"), a.Take());
  client->Send(Post("/b"), [&](Outcome outcome) {
    take(std::move(outcome));
    client->Send(Post("/c"), c.Take());
  });
  {
    Peer one = app.Accept(), two = app.Accept();
    one.Request();
    two.Request();
    one.Answer("");
    two.SendUnseen(kEmptyAnswer);
  }
  Peer fresh = app.Accept();
  EXPECT_EQ(fresh.Request().substr(0, 7), "POST /c");
  fresh.Answer("c");
  ASSERT_TRUE(Done(c));
  EXPECT_EQ(c.body(), "c");
}

TEST_F(ClientTest, AKeptConnectionThatEndsInsideTheAnswerIsCut) {
  Make();
  Peer kept = Kept();
  Result result;
  client->Send(Post("/"), result.Take());
  kept.Request();
  ASSERT_TRUE(kept.Send("H"));
  driven.loop.RunReady();
  kept.Close();
  ASSERT_TRUE(Done(result));
  EXPECT_TRUE(result.Failed(Failure::kCut));
  EXPECT_TRUE(app.NobodyComes());
}

TEST_F(ClientTest, AnAppThatGoesAwayWithACallIsCutThenRefused) {
  Make();
  Peer kept = Kept();
  Result crashed, next;
  client->Send(Post("/crash"), crashed.Take());
  kept.Request();
  app.Close();
  kept.Close();
  ASSERT_TRUE(Done(crashed));
  EXPECT_TRUE(crashed.Failed(Failure::kCut)) << crashed.message();
  EXPECT_TRUE(crashed.sent());
  client->Send(Post("/next"), next.Take());
  ASSERT_TRUE(Done(next));
  EXPECT_TRUE(next.Failed(Failure::kRefused)) << next.message();
  EXPECT_FALSE(next.sent());
}

// ---- refused

TEST_F(ClientTest, NobodyListensIsRefused) {
  Make();
  app.Close();
  Result result;
  client->Send(Post("/"), result.Take());
  EXPECT_EQ(result.calls, 0);
  ASSERT_TRUE(Done(result));
  EXPECT_TRUE(result.Failed(Failure::kRefused));
  EXPECT_NE(result.message().find("127.0.0.1:" + std::to_string(app.port())), std::string::npos);
  EXPECT_EQ(client->connections(), 0U);
}

TEST_F(ClientTest, NobodyListensOnASocketFileIsRefused) {
  const std::string longer(200, 'x');
  for (const std::string& path :
       {std::string("/nonexistent/app.sock"), std::string("/"), "/tmp/" + longer}) {
    Client unix_client(driven.loop, Endpoint{{}, 0, path}, {});
    Result result;
    unix_client.Send(Post("/"), result.Take());
    EXPECT_EQ(result.calls, 0);
    ASSERT_TRUE(Done(result));
    EXPECT_TRUE(result.Failed(Failure::kRefused)) << result.message();
    EXPECT_NE(result.message().find("unix:" + path), std::string::npos);
  }
}

TEST_F(ClientTest, LocalhostIsTriedInBothFamilies) {
  App v6(driven, AF_INET6);
  if (!v6.listening()) GTEST_SKIP() << "no IPv6 here";
  for (App* listener : {&app, &v6}) {
    Client local(driven.loop, Endpoint{"localhost", listener->port(), {}}, {});
    Result result;
    local.Send(Post("/"), result.Take());
    Peer peer = listener->Accept();
    EXPECT_NE(peer.Request().find("Host: localhost:"), std::string::npos);
    peer.Answer("ok");
    ASSERT_TRUE(Done(result));
    EXPECT_EQ(result.body(), "ok");
  }
}

TEST_F(ClientTest, ANameThatDoesNotExistIsRefused) {
  Client named(driven.loop, Endpoint{"no such name", 80, {}}, {});
  Result result;
  named.Send(Post("/"), result.Take());
  ASSERT_TRUE(Done(result));
  EXPECT_TRUE(result.Failed(Failure::kRefused)) << result.message();
}

// ---- Unix sockets

class UnixClient : public testing::Test {
 protected:
  UnixClient() {
    char name[] = "/tmp/outrigger-client-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/app.sock";
  }
  ~UnixClient() override { std::filesystem::remove_all(folder_); }

  Driven driven;
  std::string folder_, path_;
};

TEST_F(UnixClient, CallsAndKeepsTheConnection) {
  App app(driven, path_, 8);
  Client client(driven.loop, Endpoint{{}, 0, path_}, {});
  std::optional<Peer> peer;
  for (int i = 0; i < 3; ++i) {
    Result result;
    client.Send(Post("/u", "x"), result.Take());
    if (!peer) peer.emplace(app.Accept());
    EXPECT_EQ(peer->Request(), "POST /u HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx");
    peer->Answer("y");
    ASSERT_TRUE(driven.Until([&] { return result.calls > 0; }));
    EXPECT_EQ(result.body(), "y");
  }
}

TEST_F(UnixClient, ACallThatTheAppMayHaveReadIsNotSentAgain) {
  App app(driven, path_, 16);
  Client client(driven.loop, {{}, 0, path_}, {});
  Result first, second, third;
  const OnAnswer take = second.Take();
  client.Send(Post("/1"), first.Take());
  std::optional<Peer> kept(app.Accept());
  kept->Request();
  kept->Answer("");
  ASSERT_TRUE(driven.Until([&] { return first.calls == 1; }));
  client.Send(Post("/2"), [&](Outcome outcome) {
    take(std::move(outcome));
    client.Send(Post("/3"), third.Take());
  });
  kept->Request();
  kept->SendUnseen(kEmptyAnswer);
  kept.reset();  // closed before the third call: that is not even sent on it
  kept.emplace(app.Accept());
  EXPECT_EQ(kept->Request().substr(0, 7), "POST /3");
  EXPECT_TRUE(second.ok());
  kept->Answer("");
  ASSERT_TRUE(driven.Until([&] { return third.calls == 1; }));
  Result fourth;
  client.Send(Post("/4"), fourth.Take());
  driven.loop.RunReady();
  kept.reset();  // unread; who could tell?
  ASSERT_TRUE(driven.Until([&] { return fourth.calls == 1; }));
  EXPECT_TRUE(fourth.Failed(Failure::kCut)) << fourth.message();
}

TEST_F(UnixClient, WaitsWhileTheQueueOfTheSocketIsFull) {
  App app(driven, path_, 0);
  Client client(driven.loop, Endpoint{{}, 0, path_}, Limits(4));
  std::vector<Result> results(4);
  for (Result& result : results) client.Send(Post("/"), result.Take());
  driven.Turn(milliseconds(100));
  std::vector<Peer> peers;
  for (int i = 0; i < 4; ++i) {
    peers.push_back(app.Accept());
    driven.Turn(milliseconds(20));
    ASSERT_NE(peers.back().Request(), "");
    peers.back().Answer("ok");
  }
  ASSERT_TRUE(driven.Until([&] { return client.in_flight() == 0; }));
  for (const Result& result : results) EXPECT_EQ(result.body(), "ok") << result.message();
}

// ---- deadlines

TEST_F(ClientTest, AHangingAnswerIsATimeout) {
  Make();
  Result result;
  Call call = Post("/");
  call.timeout = milliseconds(500);
  client->Send(std::move(call), result.Take());
  Peer peer = app.Accept();
  peer.Request();
  driven.Turn(milliseconds(499));
  EXPECT_EQ(result.calls, 0);
  driven.Turn(milliseconds(2));
  EXPECT_TRUE(result.Failed(Failure::kTimeout));
  EXPECT_TRUE(result.sent());
  EXPECT_TRUE(peer.Ended());
  EXPECT_EQ(client->connections(), 0U);
  driven.Turn(seconds(60));
  EXPECT_EQ(result.calls, 1);
}

TEST_F(ClientTest, AByteASecondDoesNotExtendTheDeadline) {
  Make();
  Result result;
  client->Send(Post("/"), result.Take());
  Peer peer = app.Accept();
  peer.Request();
  for (const char c : std::string("HTTP/1.1 ")) {
    ASSERT_TRUE(peer.Send(std::string_view(&c, 1)));
    driven.Turn(seconds(1));
    EXPECT_EQ(result.calls, 0);
  }
  driven.Turn(seconds(2));
  EXPECT_TRUE(result.Failed(Failure::kTimeout));
}

TEST_F(ClientTest, ARequestThatIsNotReadIsATimeout) {
  Make();
  Result result;
  client->Send(Post("/", std::string(20 << 20, 'x')), result.Take());
  Peer peer = app.Accept();
  driven.Turn(seconds(11));
  EXPECT_TRUE(result.Failed(Failure::kTimeout));
  EXPECT_EQ(client->connections(), 0U);
}

TEST_F(ClientTest, AConnectThatHangsIsATimeout) {
  // A queue of connections that is full: the kernel answers no more of them.
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(fd, 0), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> fill;
  for (int i = 0; i < 4; ++i) {
    fill.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)connect(fill.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  Client hanging(driven.loop, Endpoint{"127.0.0.1", ntohs(address.sin_port), {}}, {});
  Result result;
  hanging.Send(Post("/"), result.Take());
  driven.Turn(milliseconds(9999));
  EXPECT_EQ(result.calls, 0);
  driven.Turn(milliseconds(2));
  EXPECT_TRUE(result.Failed(Failure::kTimeout));
  EXPECT_FALSE(result.sent());
  EXPECT_EQ(hanging.connections(), 0U);
  for (const int other : fill) close(other);
  close(fd);
}

// ---- the process is stopped, or the node frozen

TEST_F(ClientTest, AnAnswerThatArrivedWhileTheLoopDidNotRunIsReadBeforeTheDeadlineIsChecked) {
  Make(Limits(200));
  std::vector<std::unique_ptr<Result>> results;
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) {
    results.push_back(std::make_unique<Result>());
    Call call = Post("/");
    call.timeout = milliseconds(500);
    client->Send(std::move(call), results.back()->Take());
    peers.push_back(app.Accept());
    peers.back().Request();
  }
  driven.Turn(milliseconds(499));
  for (Peer& peer : peers) peer.SendUnseen(kEmptyAnswer);
  driven.clock.Advance(seconds(60));
  driven.loop.RunReady();
  for (const auto& result : results) {
    ASSERT_TRUE(Done(*result));
    EXPECT_TRUE(result->ok()) << result->message();
  }
}

TEST_F(ClientTest, AfterAPauseOfTheLoopACallHasTheTimeThatItHadLeft) {
  Make();
  Result result;
  client->Send(Post("/"), result.Take());  // 10 s
  Peer peer = app.Accept();
  peer.Request();
  driven.Turn(seconds(4));
  driven.clock.Advance(seconds(60));
  driven.Turn(milliseconds(5900));
  EXPECT_EQ(result.calls, 0);
  driven.Turn(milliseconds(400));
  EXPECT_TRUE(result.Failed(Failure::kTimeout));
}

// An app of one thread that serves a connection until it ends.
TEST_F(ClientTest, ATimeoutOnAConnectionThatTheAppHasNotComeToIsUnread) {
  Make(Limits(2));
  Result first, second, third;
  client->Send(Post("/1"), first.Take());
  Peer peer = app.Accept();
  peer.Request();
  client->Send(Post("/2"), second.Take());
  client->Send(Post("/3"), third.Take());
  driven.Turn(milliseconds(1));
  peer.Answer("");
  peer.Request();
  driven.Turn(seconds(11));
  EXPECT_TRUE(second.Failed(Failure::kTimeout));
  EXPECT_TRUE(second.unread());
  EXPECT_TRUE(third.Failed(Failure::kTimeout));
  EXPECT_FALSE(third.unread()) << "it was sent on the first connection, which is served";
}

TEST_F(ClientTest, ATimeoutThatMayBeTheCallsOwnIsNotUnread) {
  Make();
  Result alone, hanging, later, begun;
  client->Send(Post("/alone"), alone.Take());
  driven.Turn(seconds(11));
  EXPECT_TRUE(alone.Failed(Failure::kTimeout));
  EXPECT_FALSE(alone.unread()) << "nothing else was answered";

  client->Send(Post("/hanging"), hanging.Take());
  client->Send(Post("/later"), later.Take());
  app.Accept();
  Peer first = app.Accept();
  Peer second = app.Accept();
  first.Request();
  second.Request();
  driven.Turn(milliseconds(1));
  second.Answer("");
  ASSERT_TRUE(Done(later));
  driven.Turn(seconds(11));
  EXPECT_TRUE(hanging.Failed(Failure::kTimeout));
  EXPECT_FALSE(hanging.unread()) << "a connection that was opened later is served";

  client->Send(Post("/begun"), begun.Take());
  second.Request();
  ASSERT_TRUE(second.Send("HTTP/1.1 200"));
  driven.Turn(seconds(11));
  EXPECT_TRUE(begun.Failed(Failure::kTimeout));
  EXPECT_FALSE(begun.unread()) << "its answer has begun";
}

TEST_F(ClientTest, TheDeadlineRunsInTheLineToo) {
  Make(Limits(1));
  Result first, second, third;
  client->Send(Post("/1"), first.Take());
  Peer peer = app.Accept();
  peer.Request();
  Call call = Post("/2");
  call.timeout = milliseconds(100);
  client->Send(std::move(call), second.Take());
  call = Post("/3");
  call.timeout = milliseconds(5000);
  client->Send(std::move(call), third.Take());
  driven.Turn(milliseconds(101));
  EXPECT_TRUE(second.Failed(Failure::kTimeout));
  EXPECT_FALSE(second.sent());
  EXPECT_TRUE(second.unread());
  EXPECT_EQ(first.calls, 0);
  EXPECT_EQ(third.calls, 0);
  peer.Answer("");
  EXPECT_EQ(peer.Request().substr(0, 7), "POST /3");
  EXPECT_TRUE(first.ok());
  driven.Turn(milliseconds(4900));
  EXPECT_TRUE(third.Failed(Failure::kTimeout));
}

TEST_F(ClientTest, AfterATimeoutTheNextInLineGetsAConnection) {
  Make(Limits(1));
  Result first, second;
  client->Send(Post("/1"), first.Take());
  Peer hanging = app.Accept();
  hanging.Request();
  driven.Turn(seconds(6));
  client->Send(Post("/2"), second.Take());
  driven.Turn(seconds(5));
  EXPECT_TRUE(first.Failed(Failure::kTimeout));
  Peer fresh = app.Accept();
  EXPECT_EQ(fresh.Request().substr(0, 7), "POST /2");
  fresh.Answer("2");
  ASSERT_TRUE(Done(second));
  EXPECT_EQ(second.body(), "2");
}

// ---- limits and malformed answers

TEST_F(ClientTest, AnAnswerOverALimitIsNotRead) {
  Make();
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string megabyte(1 << 20, 'x');
  struct Case {
    std::string begin, more;
    int times;
  };
  const Case cases[] = {
      {head + "X: ", megabyte, 1024},
      {head, "X: y\r\n", 1 << 20},
      {head + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", megabyte, 1024},
      {head + "Transfer-Encoding: chunked\r\n\r\n1;x=", megabyte, 1024},
      {"", "HTTP/1.1 100 Continue\r\n\r\n", 1 << 20},
  };
  for (const Case& one : cases) {
    Result result;
    client->Send(Post("/"), result.Take());
    Peer peer = app.Accept();
    peer.Request();
    ASSERT_TRUE(peer.Send(one.begin));
    int sent = 0;
    while (sent < one.times && peer.Send(one.more)) ++sent;
    EXPECT_LT(static_cast<size_t>(sent) * one.more.size(), 16U << 20) << one.begin;
    ASSERT_TRUE(Done(result)) << one.begin;
    EXPECT_TRUE(result.Failed(Failure::kProtocol)) << result.message();
    EXPECT_EQ(client->connections(), 0U);
  }
}

TEST_F(ClientTest, OfALargeBodyTheBeginningIsGivenAndTheConnectionStays) {
  Make();
  const std::string part(1 << 20, 'x');
  const int parts = 32;
  std::optional<Peer> peer;
  for (const bool chunked : {false, true, false}) {
    Result result;
    client->Send(Post("/"), result.Take());
    if (!peer) peer.emplace(app.Accept());
    peer->Request();
    ASSERT_TRUE(peer->Send(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   : "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n"));
    for (int n = 0; n < parts; ++n)
      ASSERT_TRUE(peer->Send(chunked ? "100000\r\n" + part + "\r\n" : part));
    ASSERT_TRUE(peer->Send(chunked ? "0\r\n\r\n" : ""));
    ASSERT_TRUE(Done(result));
    ASSERT_TRUE(*result.outcome);
    EXPECT_EQ((*result.outcome)->body.size(), ClientLimits().max_body);
    EXPECT_TRUE((*result.outcome)->cut_short);
    EXPECT_EQ(client->connections(), 1U);
  }
}

TEST_F(ClientTest, ALargeBodyThatDoesNotEndIsCutOffByTheDeadline) {
  Make();
  Result result;
  client->Send(Post("/"), result.Take());
  Peer peer = app.Accept();
  peer.Request();
  ASSERT_TRUE(peer.Send("HTTP/1.1 200 OK\r\n\r\n" + std::string(4 << 20, 'x')));
  driven.Turn(Call().timeout);
  ASSERT_TRUE(Done(result));
  EXPECT_TRUE(result.Failed(Failure::kTimeout)) << result.message();
  EXPECT_EQ(client->connections(), 0U);
}

TEST_F(ClientTest, AMalformedAnswerIsAProtocolFailure) {
  Make();
  for (const char* text : {"220 smtp\r\n", "HTTP/1.1 abc\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na"}) {
    Result result;
    client->Send(Post("/"), result.Take());
    Peer peer = app.Accept();
    peer.Request();
    ASSERT_TRUE(peer.Send(text));
    ASSERT_TRUE(Done(result));
    EXPECT_TRUE(result.Failed(Failure::kProtocol)) << text;
    EXPECT_TRUE(result.sent());
    EXPECT_TRUE(peer.Ended());
  }
}

TEST_F(ClientTest, ACallThatCanNotBeSentAsItIsIsNotSent) {
  Make();
  const std::string nul(1, '\0');
  std::vector<Call> bad;
  for (const std::string& text :
       {std::string("a\r\nb: c"), std::string("a\rb"), std::string("a\nb"), "a" + nul + "b"}) {
    bad.push_back(Post("/"));
    bad.back().headers.Add("x", text);
    bad.push_back(Post("/"));
    bad.back().headers.Add(text, "x");
    bad.push_back(Post("/" + text));
    bad.push_back(Post("/"));
    bad.back().method = text;
  }
  for (const char* name : {"", "a b", "a:", "Host", "content-LENGTH", "Transfer-Encoding"}) {
    bad.push_back(Post("/"));
    bad.back().headers.Add(name, "1");
  }
  for (const char* path : {"", "x", "/a b", "/\xc3\xa4", "/a#b"}) bad.push_back(Post(path));
  for (Call& call : bad) {
    Result result;
    client->Send(call, result.Take());
    EXPECT_EQ(result.calls, 0);
    ASSERT_TRUE(Done(result));
    EXPECT_TRUE(result.Failed(Failure::kProtocol)) << result.message();
    EXPECT_FALSE(result.sent());
  }
  EXPECT_TRUE(app.NobodyComes());
  EXPECT_EQ(client->in_flight(), 0U);
}

// ---- cancelled and destroyed

TEST_F(ClientTest, CancelClosesAndCallsBackOnce) {
  Make(Limits(1));
  Result active, waiting, next;
  const uint64_t first = client->Send(Post("/1"), active.Take());
  const uint64_t second = client->Send(Post("/2"), waiting.Take());
  client->Send(Post("/3"), next.Take());
  Peer peer = app.Accept();
  peer.Request();
  for (const uint64_t id : {second, first, first, second, uint64_t{999}}) client->Cancel(id);
  EXPECT_EQ(active.calls + waiting.calls, 0);
  EXPECT_TRUE(peer.Ended());
  EXPECT_TRUE(active.Failed(Failure::kCancelled));
  EXPECT_TRUE(active.sent());
  EXPECT_TRUE(waiting.Failed(Failure::kCancelled));
  EXPECT_FALSE(waiting.sent());
  Peer fresh = app.Accept();
  EXPECT_EQ(fresh.Request().substr(0, 7), "POST /3");
  fresh.Answer("3");
  ASSERT_TRUE(Done(next));
  client->Cancel(first);
  driven.Turn(seconds(60));
  EXPECT_EQ(active.calls + waiting.calls + next.calls, 3);
  EXPECT_EQ(client->in_flight(), 0U);
}

TEST_F(ClientTest, CancelBeforeTheConnectionIsThere) {
  Make();
  Result result;
  client->Cancel(client->Send(Post("/"), result.Take()));
  ASSERT_TRUE(Done(result));
  EXPECT_TRUE(result.Failed(Failure::kCancelled));
  EXPECT_FALSE(result.sent());
  EXPECT_EQ(client->connections(), 0U);
}

TEST_F(ClientTest, DestructionCallsNobodyBack) {
  Make(Limits(2));
  Peer kept = Kept();
  Result hanging, opening, waiting, cancelled, bad;
  client->Send(Post("/1"), hanging.Take());
  kept.Request();
  client->Send(Post("/2"), opening.Take());
  client->Send(Post("/3"), waiting.Take());
  client->Cancel(client->Send(Post("/4"), cancelled.Take()));
  client->Send(Post("no path"), bad.Take());
  client.reset();
  EXPECT_TRUE(kept.Ended());
  driven.Turn(seconds(60));
  EXPECT_EQ(hanging.calls + opening.calls + waiting.calls + cancelled.calls + bad.calls, 0);
}

TEST_F(ClientTest, ACallbackMaySendCancelAndDestroy) {
  Make(Limits(1));
  Result second, third;
  bool destroyed = false;
  client->Send(Post("/1"), [&](Outcome) {
    client->Send(Post("/2"), [&](Outcome outcome) {
      second.Take()(std::move(outcome));
      client->Cancel(client->Send(Post("/x"), third.Take()));
    });
  });
  Peer peer = app.Accept();
  peer.Request();
  peer.Answer("1");
  EXPECT_EQ(peer.Request().substr(0, 7), "POST /2");
  peer.Answer("2");
  ASSERT_TRUE(Done(third));
  EXPECT_EQ(second.body(), "2");
  EXPECT_TRUE(third.Failed(Failure::kCancelled));
  client->Send(Post("/3"), [&](Outcome) {
    client.reset();
    destroyed = true;
  });
  Peer last = app.Accept();  // the cancelled call took the kept one with it
  last.Request();
  last.Answer("3");
  EXPECT_TRUE(last.Ended());
  EXPECT_TRUE(destroyed);
}

// ---- destinations

TEST(Destination, OfAUrl) {
  struct Case {
    const char *url, *host;
    uint16_t port;
    const char *unix_path, *path, *header;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"http://127.0.0.1:3000/h/x", "127.0.0.1", 3000, "", "/h/x", "127.0.0.1:3000"},
           {"http://localhost", "localhost", 80, "", "/", "localhost"},
           {"http://app:8080?a=b", "app", 8080, "", "/?a=b", "app:8080"},
           {"http://[::1]:81/{type}", "::1", 81, "", "/{type}", "[::1]:81"},
           {"http://[::1]/", "::1", 80, "", "/", "[::1]"},
           {"unix:/run/app.sock:/h/x", "", 80, "/run/app.sock", "/h/x", "localhost"},
           {"unix:/run/app.sock", "", 80, "/run/app.sock", "/", "localhost"}}) {
    const auto destination = ParseDestination(one.url);
    ASSERT_TRUE(destination) << one.url << ": " << destination.error().message;
    EXPECT_EQ(destination->endpoint.host, one.host);
    EXPECT_EQ(destination->endpoint.port, one.port);
    EXPECT_EQ(destination->endpoint.unix_path, one.unix_path);
    EXPECT_EQ(destination->path, one.path);
    EXPECT_EQ(HostHeader(destination->endpoint), one.header);
  }
}

TEST(Destination, ABadUrlIsAnErrorThatNamesIt) {
  const std::string longer = "unix:/" + std::string(120, 'x') + ":/";
  for (const std::string& url : {std::string(""),
                                 std::string("127.0.0.1:3000"),
                                 std::string("https://a/"),
                                 std::string("http://"),
                                 std::string("http:///x"),
                                 std::string("http://a:/"),
                                 std::string("http://a:0/"),
                                 std::string("http://a:65536/"),
                                 std::string("http://a:8x/"),
                                 std::string("http://u:p@a/"),
                                 std::string("http://[::1/"),
                                 std::string("http://[x]/"),
                                 std::string("http://["),
                                 std::string("http://[]"),
                                 std::string("http://[::1]x/"),
                                 std::string("http://a b/"),
                                 std::string("http://a/#x"),
                                 std::string("http://a/\n"),
                                 std::string("http://a,b/"),
                                 std::string("unix:app.sock:/x"),
                                 std::string("unix:"),
                                 std::string("unix:/"),
                                 std::string("unix:/run/app.sock:x"),
                                 std::string("unix::/x"),
                                 longer}) {
    const auto destination = ParseDestination(url);
    ASSERT_FALSE(destination) << url;
    EXPECT_NE(destination.error().message.find(url), std::string::npos);
    EXPECT_NE(destination.error().hint, "");
  }
}

}  // namespace
}  // namespace outrigger::http
