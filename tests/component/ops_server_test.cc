#include "ops/ops_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace outrigger::ops {
namespace {

// The whole answer to `request`.
std::string Ask(uint16_t port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const timeval limit{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      send(fd, request.data(), request.size(), 0) > 0) {
    char piece[4096];
    for (ssize_t got; (got = recv(fd, piece, sizeof piece, 0)) > 0;)
      answer.append(piece, static_cast<size_t>(got));
  }
  close(fd);
  return answer;
}

std::string Get(uint16_t port, const std::string& path) {
  return Ask(port, "GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
}

class OpsServerTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ = std::move(*OpsServer::Start("127.0.0.1:0", {.metrics = metrics_,
                                                          .conditions = conditions_,
                                                          .kafka_enabled = [] { return true; },
                                                          .kafka_connected = [] { return false; },
                                                          .memory = [] { return "{\"budget\":7}"; },
                                                          .loops = {{"publish", &loop_}}}));
  }

  telemetry::Metrics metrics_;
  telemetry::Conditions conditions_{base::Clock::System()};
  base::Loop loop_;
  std::unique_ptr<OpsServer> server_;
};

TEST_F(OpsServerTest, StatusHasTheMemoryBudgetBesideTheConditions) {
  const std::string answer = Get(server_->port(), "/status");
  EXPECT_NE(answer.find(R"("conditions":[],"memory":{"budget":7}})"), std::string::npos) << answer;
}

TEST_F(OpsServerTest, HealthIsThatTheLoopsMakeProgress) {
  std::thread turning([this] { loop_.Run(); });
  EXPECT_NE(Get(server_->port(), "/healthz").find("200 OK"), std::string::npos);
  loop_.Stop();
  turning.join();
  // Nobody turns the loop any more; asked until that is seen.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string answer;
  do {
    answer = Get(server_->port(), "/healthz");
  } while (answer.find("503") == std::string::npos && std::chrono::steady_clock::now() < end);
  EXPECT_NE(answer.find("the event loop of publish is stuck"), std::string::npos);
  conditions_.Set("Ready", telemetry::Status::kFalse, telemetry::kShuttingDown, "");
  EXPECT_NE(Get(server_->port(), "/healthz").find("200 OK"), std::string::npos)
      << "a flow that has drained is not stuck";
}

TEST_F(OpsServerTest, ReadinessSaysWhyNot) {
  EXPECT_NE(Get(server_->port(), "/readyz").find(" 503 "), std::string::npos) << "not known yet";
  conditions_.Set("Ready", telemetry::Status::kTrue, "Listening", "on a port");
  EXPECT_NE(Get(server_->port(), "/readyz").find(" 200 OK"), std::string::npos);
  conditions_.Set("Ready", telemetry::Status::kFalse, "ShuttingDown", "the last events go out");
  const std::string answer = Get(server_->port(), "/readyz");
  EXPECT_NE(answer.find(" 503 "), std::string::npos);
  EXPECT_NE(answer.find("not ready: ShuttingDown: the last events go out\n"), std::string::npos)
      << answer;
}

TEST_F(OpsServerTest, KafkasHealthIsExactlyAsPromisedAndAlways200) {
  const std::string answer = Get(server_->port(), "/health/kafka");
  EXPECT_NE(answer.find("200 OK"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"kafka\":{\"enabled\":true,\"connected\":false}}"));
}

TEST_F(OpsServerTest, ItIsReadOnly) {
  const std::string answer = Ask(server_->port(),
                                 "POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n"
                                 "Connection: close\r\n\r\n");
  EXPECT_NE(answer.find("405"), std::string::npos);
  EXPECT_NE(Get(server_->port(), "/nothing").find("404"), std::string::npos);
}

TEST_F(OpsServerTest, SilentConnectionsDoNotKeepProbesOut) {
  std::vector<int> silent;
  for (int i = 0; i < 200; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    silent.push_back(fd);
    if (i < 60 || i % 20 > 0) continue;
    for (const char* path : {"/healthz", "/metrics", "/health/kafka"})
      EXPECT_NE(Get(server_->port(), path).find("200 OK"), std::string::npos) << path << i;
  }
  for (const int fd : silent) close(fd);
}

TEST(OpsServerStart, ATakenPortIsAnErrorThatNamesIt) {
  telemetry::Metrics metrics;
  telemetry::Conditions conditions{base::Clock::System()};
  const auto start = [&](const std::string& listen) {
    return OpsServer::Start(
        listen,
        {metrics, conditions, [] { return true; }, [] { return true; }, [] { return "{}"; }, {}});
  };
  const auto first = start("127.0.0.1:0");
  ASSERT_TRUE(first);
  const std::string address = "127.0.0.1:" + std::to_string((*first)->port());
  const auto second = start(address);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(address), std::string::npos);
}

}  // namespace
}  // namespace outrigger::ops
