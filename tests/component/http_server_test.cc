#include "http/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "http/http_date.h"
#include "http/open_files.h"
#include "support/http_server.h"

namespace outrigger::http {
namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A server with a clock that the test turns; the loop is driven by hand.
struct Driven {
  explicit Driven(Handler handler = EchoHandler(), Limits limits = {})
      : server(loop, std::move(limits), std::move(handler)) {
    port = server.ListenTcp("127.0.0.1:0").value_or(0);
  }
  // Until the server has as many connections, and has done what was ready.
  bool Settle(size_t connections) {
    const auto end = std::chrono::steady_clock::now() + seconds(5);
    while (std::chrono::steady_clock::now() < end) {
      loop.RunReady();
      if (server.connections() == connections) return true;
    }
    return false;
  }
  void Turn(milliseconds by) { loop.Advance(clock, by); }

  base::ManualClock clock;
  base::Loop loop{clock.clock()};
  Server server;
  uint16_t port = 0;
};

// ---- answers

TEST(Server, KeepsAConnectionForTheNextRequest) {
  Running running;
  Client client(running.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.Send(Post("/a", std::to_string(i))));
    const auto answer = client.Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /a " + std::to_string(i));
    EXPECT_FALSE(answer.Has("Connection: close"));
  }
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Running running;
  Client client(running.port());
  ASSERT_TRUE(client.Send(Get("/1") + Post("/2", "two") + kChunkedHead +
                          "3\r\nabc\r\n0\r\n\r\n\r\n" + Get("/4")));
  EXPECT_EQ(client.Read().body, "GET /1 ");
  EXPECT_EQ(client.Read().body, "POST /2 two");
  EXPECT_EQ(client.Read().body, "POST /c abc");
  EXPECT_EQ(client.Read().body, "GET /4 ");
}

TEST(Server, AnswersInOrderWhenHandlersAnswerLate) {
  std::vector<std::shared_ptr<Request>> held;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) { held.push_back(request); };
  Running running(handler);
  Client client(running.port());
  ASSERT_TRUE(client.Send(Get("/1") + Get("/2") + Get("/last")));
  for (const char* path : {"/1", "/2", "/last"}) {
    // One after the other: the second is not shown before the first is answered.
    ASSERT_TRUE(running.Until([&] { return !held.empty(); }));
    running.On([&] {
      ASSERT_EQ(held.size(), 1U);
      held.front()->Answer(Echo(*held.front()));
      held.erase(held.begin());
    });
    EXPECT_EQ(client.Read().body, std::string("GET ") + path + " ");
  }
}

TEST(Server, AnswersARequestThatComesByteByByte) {
  Running running;
  Client client(running.port());
  for (const char c : kChunkedHead + "0\r\n\r\n" + Post("/b", "xy"))
    ASSERT_TRUE(client.Send(std::string_view(&c, 1)));
  EXPECT_EQ(client.Read().body, "POST /c ");
  EXPECT_EQ(client.Read().body, "POST /b xy");
}

TEST(Server, ReadsALargeChunkedBodyWhole) {
  Running running;
  Client client(running.port());
  std::string text, expected;
  for (int i = 0; i < 500; ++i) {
    const std::string piece(1000, static_cast<char>('a' + i % 26));
    text += "3e8;i=" + std::to_string(i % 10) + "\r\n" + piece + "\r\n";
    expected += piece;
  }
  Limits limits;
  ASSERT_TRUE(client.Send(kChunkedHead + text + "0\r\n\r\n"));
  EXPECT_EQ(client.Read().body, "POST /c " + expected);
}

TEST(Server, SendsALargeAnswerWhole) {
  Handler handler = EchoHandler();
  const std::string large(20 << 20, 'x');
  handler.on_request = [&](const std::shared_ptr<Request>& request) {
    Response response;
    response.body = large;
    request->Answer(response);
  };
  Running running(handler);
  Client client(running.port());
  ASSERT_TRUE(client.Send(Get("/") + Get("/")));
  EXPECT_TRUE(client.Read().body == large);
  EXPECT_TRUE(client.Read().body == large);
}

TEST(Server, EveryAnswerHasItsDate) {
  Driven driven;
  Client client(driven.port);
  for (const std::string& request : {Get("/"), std::string("BAD\r\n\r\n")}) {
    ASSERT_TRUE(client.Send(request));
    ASSERT_TRUE(driven.Settle(1));
    driven.loop.RunReady();
    EXPECT_TRUE(client.Read().Has("\r\nDate: " + HttpDate().Text(driven.loop.Wall()) + "\r\n"));
    driven.Turn(seconds(1));
  }
}

TEST(HttpDate, IsThatOfTheRfcWhateverTheSecond) {
  HttpDate date;
  const auto at = [](std::time_t second) { return base::WallTime::clock::from_time_t(second); };
  EXPECT_EQ(date.Text(at(784111777)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.Text(at(784111777) + milliseconds(999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.Text(at(784111778)), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.Text(at(951782400)), "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(Server, AnEncodedBodyIs415AndSaysWhatIsTaken) {
  Running running;
  Client client(running.port());
  ASSERT_TRUE(client.Send(Post("/", "xy", "Content-Encoding: gzip\r\n")));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 415);
  EXPECT_TRUE(answer.Has("Accept-Encoding: identity\r\n")) << answer.head;
}

TEST(Server, AChunkThatIsAnnouncedLargerThanTheBodyMayBeIsRefusedAtOnce) {
  Running running;
  for (const auto& [size, status] : {std::pair{"100001", 413},
                                     {"7ffffffffffffff", 413},
                                     {"8000000000000000", 400},
                                     {"5\n", 400}}) {
    Client client(running.port());
    ASSERT_TRUE(client.Send(kChunkedHead + size + (status == 413 ? "\r\n" : "")));
    EXPECT_EQ(client.Read().status, status) << size;
  }
}

TEST(Server, AHeadAnswerHasALengthAndNoBody) {
  Running running;
  Client client(running.port());
  ASSERT_TRUE(client.Send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/next")));
  const auto answer = client.Read(true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.Has("Content-Length: 8\r\n")) << answer.head;
  EXPECT_EQ(client.Read().body, "GET /next ");
}

TEST(Server, ClosesWhenTheClientOrTheAnswerAsksForIt) {
  Handler handler = EchoHandler();
  handler.on_request = [](const std::shared_ptr<Request>& request) {
    Response response = Echo(*request);
    response.close = request->head().path == "/close";
    request->Answer(response);
  };
  Running running(handler);
  for (const std::string& text : {Get("/close"), Post("/", "", "Connection: close\r\n"),
                                  std::string("GET / HTTP/1.0\r\n\r\n")}) {
    Client client(running.port());
    ASSERT_TRUE(client.Send(text));
    const auto answer = client.Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.Has("Connection: close\r\n"));
    EXPECT_TRUE(client.Ended()) << text;
  }
}

TEST(Server, AHalfClosedClientStillGetsItsAnswers) {
  std::shared_ptr<Request> held;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) { held = request; };
  Running running(handler);
  Client client(running.port());
  ASSERT_TRUE(client.Send(Get("/1") + Get("/2")));
  client.EndSending();
  for (const char* path : {"/1", "/2"}) {
    ASSERT_TRUE(running.Until([&] { return held != nullptr; }));
    running.On([&] {
      const auto request = std::exchange(held, nullptr);
      request->Answer(Echo(*request));
    });
    EXPECT_EQ(client.Read().status, 200) << path;
  }
  EXPECT_TRUE(client.Ended());
}

// ---- 100-continue

TEST(Server, Sends100WhenTheBodyIsWaitedFor) {
  Running running;
  Client client(running.port());
  ASSERT_TRUE(client.Send(
      "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(client.Read(true).status, 100);
  ASSERT_TRUE(client.Send("ab"));
  EXPECT_EQ(client.Read().body, "POST /e ab");
}

TEST(Server, SendsNo100BeforeARefusalNorWhenTheBodyIsThere) {
  Running running;
  Client here(running.port());
  ASSERT_TRUE(here.Send(Post("/e", "ab", "Expect: 100-continue\r\n")));
  EXPECT_EQ(here.Read().status, 200);
  Client large(running.port());
  ASSERT_TRUE(large.Send(
      "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n"));
  EXPECT_EQ(large.Read().status, 413);
  EXPECT_TRUE(large.Ended());
}

// ---- limits

// ---- too many connections

TEST(Crowd, AConnectionOverTheLimitIsAnswered503WhereNoneIsIdle) {
  Limits limits;
  limits.max_connections = 1;
  limits.prefix = "ops";
  std::vector<int> answered;
  std::shared_ptr<Request> held;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) { held = request; };
  handler.on_answered = [&](std::string_view, int status) { answered.push_back(status); };
  Running running(handler, limits);
  Client first(running.port());
  ASSERT_TRUE(first.Send(Get("/")));
  ASSERT_TRUE(running.Until([&] { return held != nullptr; }));
  {
    Client second(running.port());
    const auto answer = second.Read();
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.Has("Retry-After: "));
    EXPECT_TRUE(answer.Has("Date: "));
    EXPECT_NE(answer.body.find("\"limit\":\"ops.maxConnections\""), std::string::npos);
    EXPECT_TRUE(second.Ended());
  }
  running.On([&] { std::exchange(held, nullptr)->Answer({}); });
  EXPECT_EQ(first.Read().status, 200);
  running.On([&] { EXPECT_EQ(answered, (std::vector<int>{503, 200})); });
}

TEST(Crowd, TheOneThatWasIdleForLongestIsClosed) {
  Limits limits;
  limits.max_connections = 3;
  Driven driven(EchoHandler(), limits);
  Client oldest(driven.port), old(driven.port), busy(driven.port);
  ASSERT_TRUE(driven.Settle(3));
  driven.Turn(milliseconds(200));
  ASSERT_TRUE(busy.Send("GET / HT"));
  driven.Turn(milliseconds(200));
  ASSERT_TRUE(oldest.Send(Get("/")));
  driven.loop.RunReady();
  EXPECT_EQ(oldest.Read().status, 200) << "now it is the younger one";
  driven.Turn(milliseconds(100));
  Client fourth(driven.port);
  ASSERT_TRUE(fourth.Send(Get("/4")));
  for (int i = 0; i < 10; ++i) driven.loop.RunReady();
  EXPECT_EQ(fourth.Read().body, "GET /4 ");
  EXPECT_TRUE(old.Ended());
  ASSERT_TRUE(oldest.Send(Get("/again")));
  ASSERT_TRUE(busy.Send("TP/1.1\r\nHost: a\r\n\r\n"));
  driven.loop.RunReady();
  EXPECT_EQ(oldest.Read().status, 200);
  EXPECT_EQ(busy.Read().status, 200);
}

TEST(Crowd, ARequestThatHasComeIsNotGivenAwayUnread) {
  Limits limits;
  limits.max_connections = 1;
  Driven driven(EchoHandler(), limits);
  Client first(driven.port);
  ASSERT_TRUE(driven.Settle(1));
  ASSERT_TRUE(first.Send(Get("/first")));  // the loop has not seen it
  Client second(driven.port);
  for (int i = 0; i < 10; ++i) driven.loop.RunReady();
  EXPECT_EQ(first.Read().status, 200);
}

TEST(Crowd, ASlowSenderOrReaderIsClosedAfterASecond) {
  Limits limits;
  limits.max_connections = 2;
  Handler handler = EchoHandler();
  handler.on_request = [](const std::shared_ptr<Request>& request) {
    Response response;
    response.body.assign(request->head().path == "/large" ? 8 << 20 : 1, 'x');
    request->Answer(std::move(response));
  };
  Driven driven(handler, limits);
  Client dripping(driven.port), deaf(driven.port);
  ASSERT_TRUE(dripping.Send("GET / HT"));
  ASSERT_TRUE(deaf.Send(Get("/large")));
  ASSERT_TRUE(driven.Settle(2));
  driven.loop.RunReady();
  {
    Client soon(driven.port);
    driven.loop.RunReady();
    EXPECT_EQ(soon.Read().status, 503);
  }
  driven.Turn(milliseconds(1100));
  Client third(driven.port), fourth(driven.port);
  for (Client* client : {&third, &fourth}) ASSERT_TRUE(client->Send(Get("/")));
  for (int i = 0; i < 10; ++i) driven.loop.RunReady();
  EXPECT_EQ(third.Read().status, 200);
  EXPECT_EQ(fourth.Read().status, 200);
  EXPECT_TRUE(dripping.Ended());
}

TEST(Crowd, DescriptorsThatOthersNeedAreLeftToThem) {
  rlimit usual{};
  getrlimit(RLIMIT_NOFILE, &usual);
  const int next = dup(0);  // the lowest number that is free
  close(next);
  const rlimit few{static_cast<rlim_t>(next) + 20, usual.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  Limits limits;
  limits.spare_files = 10;
  {
    std::vector<std::shared_ptr<Request>> held;
    Handler handler = EchoHandler();
    handler.on_request = [&](const std::shared_ptr<Request>& request) { held.push_back(request); };
    Driven driven(handler, limits);
    setrlimit(RLIMIT_NOFILE, &usual);  // for the clients
    std::vector<std::unique_ptr<Client>> clients;
    int refused = 0;
    for (int i = 0; i < 30; ++i) {
      clients.push_back(std::make_unique<Client>(driven.port));
      ASSERT_TRUE(clients.back()->Send(Get("/")));
      driven.loop.RunReady();
    }
    EXPECT_LT(driven.server.connections(), 10U);
    for (size_t i = driven.server.connections(); i < clients.size(); ++i)
      refused += clients[i]->Read().status == 503;
    EXPECT_GT(refused, 20);
    held.clear();
    driven.loop.RunReady();
    // Idle ones give way, and are no more than before.
    const size_t most = driven.server.connections();
    for (int i = 0; i < 50; ++i) {
      clients.push_back(std::make_unique<Client>(driven.port));
      driven.loop.RunReady();
      EXPECT_LE(driven.server.connections(), most);
    }
  }
  EXPECT_LE(SpareFiles(), 64U);
}

TEST(Server, AHeadOverTheLimitIs431EvenWhenItNeverEnds) {
  Limits limits;
  limits.max_header = 1000;
  Running running(EchoHandler(), limits);
  for (const std::string& end : {std::string("\r\n\r\n"), std::string()}) {
    Client client(running.port());
    ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(1000, 'x') + end));
    const auto answer = client.Read();
    EXPECT_EQ(answer.status, 431);
    EXPECT_NE(answer.body.find("\"limit\":\"http.maxHeader\""), std::string::npos) << answer.body;
    EXPECT_TRUE(client.Ended());
  }
  Client fits(running.port());
  ASSERT_TRUE(fits.Send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(900, 'x') + "\r\n\r\n"));
  EXPECT_EQ(fits.Read().status, 200);
}

TEST(Server, ABodyOverTheLimitIs413AndReadableWhileTheClientStillSends) {
  Limits limits;
  limits.max_body = 1000;
  Running running(EchoHandler(), limits);
  const std::string megabyte(1 << 20, 'x');
  for (const bool chunked : {false, true}) {
    Client client(running.port());
    std::string text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n";
    if (chunked) text = kChunkedHead + "800000\r\n";
    ASSERT_TRUE(client.Send(text));
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(client.Send(megabyte)) << i;
    const auto answer = client.Read();
    EXPECT_EQ(answer.status, 413) << chunked;
    EXPECT_NE(answer.body.find("\"limit\":\"http.maxBody\""), std::string::npos) << answer.body;
    EXPECT_TRUE(answer.Has("Connection: close"));
    client.EndSending();
    EXPECT_TRUE(client.Ended());
  }
  Client fits(running.port());
  ASSERT_TRUE(fits.Send(Post("/", std::string(1000, 'x'))));
  EXPECT_EQ(fits.Read().status, 200);
  ASSERT_TRUE(fits.Send(kChunkedHead + "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n"));
  EXPECT_EQ(fits.Read().status, 200);
}

TEST(Server, ATrailerOverTheLimitIs431) {
  Limits limits;
  limits.max_trailer = 100;
  Running running(EchoHandler(), limits);
  Client client(running.port());
  ASSERT_TRUE(client.Send(kChunkedHead + "0\r\nT: " + std::string(70'000, 'x') + "\r\n\r\n"));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 431);
  EXPECT_NE(answer.body.find("\"limit\":\"http.maxTrailer\""), std::string::npos) << answer.body;
}

TEST(Server, AMalformedRequestIsAnsweredAndNothingBehindItIsRead) {
  Running running;
  for (const char* head :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\nHost: a\n\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"}) {
    Client client(running.port());
    ASSERT_TRUE(client.Send(head + Get("/smuggled")));
    const auto answer = client.Read();
    EXPECT_EQ(answer.status, 400) << head;
    EXPECT_TRUE(answer.Has("Content-Type: application/problem+json"));
    client.EndSending();
    EXPECT_TRUE(client.Ended()) << head;
  }
}

TEST(Server, APlanMayRefuseAndABodyThatIsHereIsSkipped) {
  Handler handler = EchoHandler();
  handler.on_head = [](const std::shared_ptr<Request>& request) {
    Plan plan;
    if (request->head().path == "/no") plan.refuse = Response{404, "text/plain", "no", {}, false};
    return plan;
  };
  Running running(handler);
  Client client(running.port());
  ASSERT_TRUE(client.Send(Post("/no", "GET /in-body HTTP/1.1\r\n\r\n") + Get("/next")));
  EXPECT_EQ(client.Read().status, 404);
  EXPECT_EQ(client.Read().body, "GET /next ");
  ASSERT_TRUE(client.Send("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 404);
  EXPECT_TRUE(answer.Has("Connection: close"));
}

// ---- handlers that go wrong

TEST(Server, ADroppedRequestIsAnswered500AndTheConnectionGoesOn) {
  Handler handler = EchoHandler();
  handler.on_request = [](const std::shared_ptr<Request>& request) {
    if (request->head().path != "/drop") request->Answer(Echo(*request));
  };
  Running running(handler);
  Client client(running.port());
  ASSERT_TRUE(client.Send(Get("/drop") + Get("/next")));
  EXPECT_EQ(client.Read().status, 500);
  EXPECT_EQ(client.Read().status, 200);
}

TEST(Server, OnlyTheFirstAnswerCountsAndLateOnesAreNothing) {
  std::shared_ptr<Request> kept;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) {
    request->Answer(Echo(*request));
    request->Answer(Response{});
    kept = request;
  };
  Running running(handler);
  {
    Client client(running.port());
    ASSERT_TRUE(client.Send(Get("/1")));
    EXPECT_EQ(client.Read().body, "GET /1 ");
    running.On([&] { kept->Answer(Response{}); });
    ASSERT_TRUE(client.Send(Get("/2")));
    EXPECT_EQ(client.Read().body, "GET /2 ");
  }
  ASSERT_TRUE(running.Until([&] { return running.server().connections() == 0; }));
  running.On([&] {
    EXPECT_EQ(kept->head().path, "/2");
    kept->Answer(Response{});
    kept.reset();
  });
}

// ---- streamed bodies

struct Stream {
  std::shared_ptr<Request> request;
  std::string text;
  int calls = 0;
  bool pause = false;         // after each chunk
  size_t at_once = SIZE_MAX;  // so many bytes are taken of a chunk
  bool aborted = false;
  bool ended = false;
};

Handler StreamHandler(Stream& stream) {
  Handler handler;
  handler.on_head = [&](const std::shared_ptr<Request>& request) {
    stream.request = request;
    Plan plan;
    plan.on_chunk = [&](std::string_view bytes) {
      ++stream.calls;
      const size_t taken = std::min(bytes.size(), stream.at_once);
      stream.text.append(bytes.substr(0, taken));
      if (stream.pause) stream.request->Pause();
      return taken;
    };
    plan.on_abort = [&] { stream.aborted = true; };
    return plan;
  };
  handler.on_request = [&](const std::shared_ptr<Request>& request) {
    stream.ended = true;
    stream.request.reset();
    request->Answer(Echo(*request));
  };
  return handler;
}

TEST(StreamedBody, IsGivenOnAndNotHeldAndHasNoLimit) {
  Stream stream;
  Limits limits;
  limits.max_body = 10;
  Running running(StreamHandler(stream), limits);
  Client client(running.port());
  const std::string text(300'000, 'x');
  ASSERT_TRUE(client.Send(Post("/s", text)));
  EXPECT_EQ(client.Read().body, "POST /s ");
  running.On([&] { EXPECT_TRUE(stream.text == text); });
  ASSERT_TRUE(client.Send(kChunkedHead + "14\r\nabcdefghijklmnopqrst\r\n0\r\n\r\n"));
  EXPECT_EQ(client.Read().body, "POST /c ");
}

TEST(StreamedBody, IsNotGivenOnBetweenPauseAndResume) {
  Stream stream;
  stream.pause = true;
  Running running(StreamHandler(stream));
  Client client(running.port());
  ASSERT_TRUE(client.Send(kChunkedHead + "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"));
  for (int calls = 1; calls <= 3; ++calls) {
    ASSERT_TRUE(running.Until([&] { return stream.calls >= calls; }));
    running.On([&] {
      EXPECT_EQ(stream.calls, calls);
      EXPECT_FALSE(stream.ended);
    });
    running.On([&] {
      if (stream.request) stream.request->Resume();
    });
  }
  EXPECT_EQ(client.Read().status, 200);
  running.On([&] { EXPECT_EQ(stream.text, "abc"); });
}

TEST(StreamedBody, OfWhichAPartWasTakenGoesOnWithTheRestAfterThePause) {
  for (const std::string& request :
       {Post("/s", "abcd"), kChunkedHead + "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"}) {
    Stream stream;
    stream.pause = true;
    stream.at_once = 1;
    Running running(StreamHandler(stream));
    Client client(running.port());
    ASSERT_TRUE(client.Send(request));
    for (size_t taken = 1; taken <= 4; ++taken) {
      ASSERT_TRUE(running.Until([&] { return stream.text.size() >= taken; })) << request;
      running.On([&] {
        EXPECT_FALSE(stream.ended);
        stream.request->Resume();
      });
    }
    EXPECT_EQ(client.Read().status, 200);
    running.On([&] { EXPECT_EQ(stream.text, "abcd"); });
  }
}

TEST(StreamedBody, IsWholeAfterAPauseWhileTheServerWaitsForBytes) {
  Stream stream;
  Running running(StreamHandler(stream));
  Client client(running.port());
  ASSERT_TRUE(client.Send("POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"));
  ASSERT_TRUE(running.Until([&] { return stream.calls >= 1; }));
  running.On([&] {
    stream.request->Pause();
    stream.request->Resume();
  });
  running.On([] {});
  running.On([&] { EXPECT_EQ(stream.text, "abc"); });
  ASSERT_TRUE(client.Send("def"));
  EXPECT_EQ(client.Read().status, 200);
  running.On([&] { EXPECT_EQ(stream.text, "abcdef"); });
}

TEST(StreamedBody, ThatBreaksOffIsReportedAsAnAbort) {
  Stream stream;
  Running running(StreamHandler(stream));
  {
    Client client(running.port());
    ASSERT_TRUE(client.Send("POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"));
    ASSERT_TRUE(running.Until([&] { return stream.calls >= 1; }));
  }
  ASSERT_TRUE(running.Until([&] { return stream.aborted; }));
  running.On([&] {
    EXPECT_FALSE(stream.ended);
    stream.request->Answer(Response{});  // nothing to answer any more
    stream.request.reset();
  });
}

TEST(StreamedBody, AnAnswerBeforeItsEndClosesAfterIt) {
  Stream stream;
  Handler handler = StreamHandler(stream);
  const auto on_head = handler.on_head;
  handler.on_head = [&](const std::shared_ptr<Request>& request) {
    Plan plan = on_head(request);
    plan.on_chunk = [&](std::string_view bytes) {
      if (stream.request)
        std::exchange(stream.request, nullptr)->Answer(Response{503, "a/b", "x", {}, false});
      return bytes.size();
    };
    return plan;
  };
  Running running(handler);
  Client client(running.port());
  ASSERT_TRUE(client.Send(kChunkedHead + "1\r\na\r\n1\r\nb\r\n"));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.Has("Connection: close"));
  EXPECT_TRUE(client.Ended());
  running.On([&] {
    EXPECT_FALSE(stream.ended);
    EXPECT_FALSE(stream.aborted);
  });
}

// ---- deadlines

TEST(Deadline, OfTheHeadIs408) {
  Driven driven;
  Client client(driven.port);
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\n"));
  ASSERT_TRUE(driven.Settle(1));
  driven.Turn(milliseconds(4800));
  ASSERT_TRUE(client.Send("Host: a\r\n"));  // a slow sender gains nothing by dripping
  driven.Turn(milliseconds(400));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_NE(answer.body.find("\"limit\":\"http.headTimeout\""), std::string::npos) << answer.body;
  EXPECT_TRUE(client.Ended());
}

TEST(Deadline, OfTheBodyIs408AndCountsFromTheHead) {
  Driven driven;
  Client client(driven.port);
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
  ASSERT_TRUE(driven.Settle(1));
  driven.Turn(milliseconds(9800));
  ASSERT_TRUE(client.Send("d"));
  driven.Turn(milliseconds(400));
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 408);
  EXPECT_NE(answer.body.find("\"limit\":\"http.bodyTimeout\""), std::string::npos) << answer.body;
}

TEST(Deadline, OfAStreamedBodyRestartsWithProgressAndStopsInAPause) {
  Stream stream;
  Handler handler = StreamHandler(stream);
  const auto on_head = handler.on_head;
  handler.on_head = [&](const std::shared_ptr<Request>& request) {
    Plan plan = on_head(request);
    plan.timeout_restarts = true;
    return plan;
  };
  Driven driven(handler);
  Client client(driven.port);
  ASSERT_TRUE(client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na"));
  ASSERT_TRUE(driven.Settle(1));
  driven.Turn(milliseconds(9000));
  ASSERT_TRUE(client.Send("b"));
  driven.Turn(milliseconds(9000));
  EXPECT_EQ(stream.text, "ab");
  stream.request->Pause();
  driven.Turn(milliseconds(60000));
  EXPECT_FALSE(stream.aborted);
  stream.request->Resume();
  driven.Turn(milliseconds(9800));
  EXPECT_FALSE(stream.aborted);
  driven.Turn(milliseconds(400));
  EXPECT_TRUE(stream.aborted);
  EXPECT_EQ(client.Read().status, 408);
  stream.request.reset();
}

TEST(Deadline, OfAnIdleConnectionClosesWithoutAWord) {
  Driven driven;
  Client client(driven.port);
  ASSERT_TRUE(driven.Settle(1));
  driven.Turn(milliseconds(59800));
  EXPECT_EQ(driven.server.connections(), 1U);
  driven.Turn(milliseconds(400));
  EXPECT_EQ(driven.server.connections(), 0U);
  EXPECT_TRUE(client.Ended());
}

TEST(Deadline, DoesNotRunWhileTheHandlerHasTheRequest) {
  std::shared_ptr<Request> held;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) { held = request; };
  Driven driven(handler);
  Client client(driven.port);
  ASSERT_TRUE(client.Send(Get("/")));
  ASSERT_TRUE(driven.Settle(1));
  driven.Turn(seconds(300));
  ASSERT_TRUE(held);
  std::exchange(held, nullptr)->Answer(Response{});
  EXPECT_EQ(client.Read().status, 200);
}

TEST(Deadline, OfTheLingerEndsAClientThatNeverStopsSending) {
  Driven driven;
  Client client(driven.port);
  ASSERT_TRUE(client.Send("BAD\r\n\r\n"));
  ASSERT_TRUE(driven.Settle(1));
  EXPECT_EQ(client.Read().status, 400);
  EXPECT_EQ(driven.server.connections(), 1U);
  driven.Turn(milliseconds(2200));
  EXPECT_EQ(driven.server.connections(), 0U);
}

// ---- the process is stopped, or the node frozen

TEST(Pause, WhatWaitsInTheSocketsIsReadBeforeDeadlinesAreJudged) {
  Driven driven;
  const std::string body(200'000, 'x');
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<Client>(driven.port));
  for (auto& client : clients) ASSERT_TRUE(client->Send("POST / HTTP/1.1\r\nHost: a\r\n"));
  ASSERT_TRUE(driven.Settle(clients.size()));
  driven.Turn(milliseconds(4900));
  Client late(driven.port);
  ASSERT_TRUE(late.Send("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n"));
  ASSERT_TRUE(driven.Settle(clients.size() + 1));
  for (auto& client : clients) ASSERT_TRUE(client->Send("Content-Length: 1\r\n\r\nx"));
  std::thread sending([&] { ASSERT_TRUE(late.Send(body)); });
  driven.clock.Advance(seconds(60));
  for (auto& client : clients) {
    driven.loop.RunReady();
    EXPECT_EQ(client->Read().status, 200);
  }
  const auto end = std::chrono::steady_clock::now() + seconds(20);
  std::thread reading([&] { EXPECT_EQ(late.Read().status, 200); });
  while (driven.server.buffered() > 0 && std::chrono::steady_clock::now() < end)
    driven.loop.RunReady();
  sending.join();
  while (driven.loop.RunReady() > 0) {
  }
  reading.join();
}

TEST(Pause, AfterItASenderHasTheTimeThatItHadLeft) {
  Driven driven;
  Client client(driven.port);
  ASSERT_TRUE(client.Send("GET / HTTP/1.1\r\n"));
  ASSERT_TRUE(driven.Settle(1));
  driven.Turn(seconds(2));
  driven.clock.Advance(seconds(60));
  driven.Turn(milliseconds(2800));
  EXPECT_EQ(driven.server.connections(), 1U);
  ASSERT_TRUE(client.Send("Host: a\r\n"));
  driven.Turn(milliseconds(600));
  EXPECT_EQ(client.Read().status, 408);
}

TEST(Deadline, LaterLimitsCountFromTheNextRequestOn) {
  Driven driven;
  Limits limits;
  limits.max_body = 1;
  driven.server.SetLimits(limits);
  Client client(driven.port);
  ASSERT_TRUE(client.Send(Post("/", "ab")));
  ASSERT_TRUE(driven.Settle(1));
  EXPECT_EQ(client.Read().status, 413);
}

// ---- drain

TEST(Drain, ClosesWhoIsIdleForLongNowAndOthersAfterTheirAnswer) {
  std::shared_ptr<Request> held;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) {
    if (request->head().path == "/held")
      held = request;
    else
      request->Answer(Echo(*request));
  };
  Driven driven(handler);
  Client idle(driven.port), busy(driven.port), half(driven.port);
  ASSERT_TRUE(idle.Send(Get("/")));
  ASSERT_TRUE(busy.Send(Get("/held")));
  ASSERT_TRUE(half.Send("GET /half HTTP/1.1\r\n"));
  ASSERT_TRUE(driven.Settle(3));
  driven.loop.RunReady();
  ASSERT_TRUE(held);
  EXPECT_EQ(idle.Read().status, 200);
  driven.Turn(seconds(1));
  bool drained = false;
  driven.server.Drain([&] { drained = true; });
  EXPECT_TRUE(idle.Ended());
  EXPECT_FALSE(drained);
  Client late(driven.port);
  EXPECT_FALSE(late.connected());
  ASSERT_TRUE(half.Send("Host: a\r\n\r\n"));
  std::exchange(held, nullptr)->Answer(Response{});
  driven.loop.RunReady();
  for (Client* client : {&busy, &half}) {
    const auto answer = client->Read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.Has("Connection: close"));
    EXPECT_TRUE(client->Ended());
    client->Close();
  }
  EXPECT_TRUE(driven.Settle(0));
  EXPECT_TRUE(drained);
}

TEST(Drain, ARequestThatIsUnderWayOnAConnectionJustUsedIsAnswered) {
  Driven driven;
  Client kept(driven.port), idle(driven.port), fresh(driven.port);
  for (Client* client : {&kept, &idle}) {
    ASSERT_TRUE(client->Send(Get("/")));
    ASSERT_TRUE(driven.Settle(3));
    driven.loop.RunReady();
    EXPECT_EQ(client->Read().status, 200);
  }
  bool drained = false;
  driven.server.Drain([&] { drained = true; });
  driven.Turn(milliseconds(500));
  for (Client* client : {&kept, &fresh}) {
    ASSERT_TRUE(client->Send(Get("/") + Get("/2")));
    driven.loop.RunReady();
    EXPECT_FALSE(client->Read().Has("Connection: close"));
    EXPECT_TRUE(client->Read().Has("Connection: close")) << "with the last of its answers";
    EXPECT_TRUE(client->Ended());
    client->Close();
  }
  EXPECT_FALSE(drained);
  driven.Turn(milliseconds(700));
  EXPECT_TRUE(idle.Ended());
  EXPECT_TRUE(drained);
}

TEST(Drain, WhoHasConnectedIsServedThoughNotAcceptedYet) {
  Driven driven;
  Client waiting(driven.port);
  ASSERT_TRUE(waiting.Send(Get("/")));
  bool drained = false;
  driven.server.Drain([&] { drained = true; });
  driven.loop.RunReady();
  const auto answer = waiting.Read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.Has("Connection: close"));
}

TEST(Drain, IsAnnouncedBeforeWhileConnectionsAreStillTaken) {
  Driven driven;
  Client kept(driven.port);
  ASSERT_TRUE(kept.Send(Get("/")));
  ASSERT_TRUE(driven.Settle(1));
  driven.loop.RunReady();
  EXPECT_FALSE(kept.Read().Has("Connection: close"));
  driven.server.AnnounceClose();
  Client late(driven.port);
  for (Client* client : {&kept, &late}) {
    ASSERT_TRUE(client->Send(Get("/")));
    driven.loop.RunReady();
    driven.loop.RunReady();
    EXPECT_TRUE(client->Read().Has("Connection: close"));
    EXPECT_TRUE(client->Ended());
  }
}

TEST(Drain, WithoutConnectionsIsDoneAtOnce) {
  Driven driven;
  bool drained = false;
  driven.server.Drain([&] { drained = true; });
  EXPECT_TRUE(drained);
}

TEST(Server, WithoutAFreeDescriptorAcceptsOnEveryListenerAgainWhenThereIsOne) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "UBSan opens a pipe to look at an object of a type that is new to it";
#endif
  const std::string path =
      (std::filesystem::temp_directory_path() / ("accept." + std::to_string(getpid()))).string();
  Driven driven;
  ASSERT_TRUE(driven.server.ListenUnix(path));
  Client tcp(driven.port), local(path);
  ASSERT_TRUE(tcp.connected() && local.connected());
  rlimit usual{};
  getrlimit(RLIMIT_NOFILE, &usual);
  const rlimit none{0, usual.rlim_max};
  testing::internal::CaptureStderr();
  setrlimit(RLIMIT_NOFILE, &none);
  for (int tries = 0; tries < 5; ++tries) {
    driven.loop.RunReady();
    EXPECT_EQ(driven.loop.RunReady(), 0U) << "it does not spin";
    driven.loop.Advance(driven.clock, milliseconds(100));
  }
  setrlimit(RLIMIT_NOFILE, &usual);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(driven.server.connections(), 0U);
  driven.loop.Advance(driven.clock, milliseconds(100));
  EXPECT_TRUE(driven.Settle(2)) << driven.server.connections() << " of 2 accepted";
  EXPECT_NE(log.find("open files"), std::string::npos) << log;
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
}

TEST(Server, MayGoAwayWhileAHandlerHoldsARequest) {
  std::shared_ptr<Request> held;
  Handler handler = EchoHandler();
  handler.on_request = [&](const std::shared_ptr<Request>& request) { held = request; };
  base::ManualClock clock;
  base::Loop loop(clock.clock());
  auto server = std::make_unique<Server>(loop, Limits{}, handler);
  Client client(*server->ListenTcp("127.0.0.1:0"));
  ASSERT_TRUE(client.Send(Get("/")));
  const auto end = std::chrono::steady_clock::now() + seconds(5);
  while (!held && std::chrono::steady_clock::now() < end) loop.RunReady();
  ASSERT_TRUE(held);
  server.reset();
  held->Pause();
  held->Resume();
  held->Answer(Response{});
  held.reset();
  loop.RunReady();
  EXPECT_TRUE(client.Ended());
}

// ---- listening

class UnixSocket : public testing::Test {
 protected:
  UnixSocket() {
    char name[] = "/tmp/outrigger-http-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/socket";
  }
  ~UnixSocket() override { std::filesystem::remove_all(folder_); }

  std::string folder_, path_;
};

TEST_F(UnixSocket, ServesAndIsRemovedWithItsServer) {
  {
    Running running;
    running.On([&] { ASSERT_TRUE(running.server().ListenUnix(path_)); });
    struct stat file {};
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0660U);
    Client client(path_);
    ASSERT_TRUE(client.Send(Get("/u") + Get("/v")));
    EXPECT_EQ(client.Read().body, "GET /u ");
    EXPECT_EQ(client.Read().body, "GET /v ");
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocket, ADeadFileIsReplacedALivingOneAndAForeignOneAreErrors) {
  {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    close(fd);
  }
  Driven driven;
  EXPECT_TRUE(driven.server.ListenUnix(path_));
  Driven second;
  EXPECT_FALSE(second.server.ListenUnix(path_));
  const std::string foreign = folder_ + "/file";
  close(creat(foreign.c_str(), 0600));
  EXPECT_FALSE(second.server.ListenUnix(foreign));
  EXPECT_TRUE(std::filesystem::exists(foreign));
  EXPECT_FALSE(second.server.ListenUnix(folder_ + "/" + std::string(120, 'x')));
}

TEST(Listen, ABadOrTakenAddressIsAnErrorThatNamesIt) {
  Driven driven;
  for (const char* address : {"", "localhost", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                              "example.com:80", "127.0.0.1:-1", "127.0.0.1:8x"}) {
    const auto port = driven.server.ListenTcp(address);
    ASSERT_FALSE(port) << address;
    EXPECT_NE(port.error().message.find(address), std::string::npos);
  }
  const auto taken = driven.server.ListenTcp("127.0.0.1:" + std::to_string(driven.port));
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find(std::to_string(driven.port)), std::string::npos);
}

}  // namespace
}  // namespace outrigger::http
