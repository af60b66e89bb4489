// Requests without a connection and a publisher without a Kafka: which form a request has, and how
// each refusal is counted.
#include "publish/ingress.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.h"
#include "support/fake_request.h"

namespace outrigger::publish {
namespace {

using telemetry::ProducerOutcome;
using telemetry::ProducerReason;
using Fields = std::vector<http::Field>;

constexpr char kEnvelope[] = R"({"type":"a.b","data":1})";
const Fields kBinary{{"ce-specversion", "1.0"}, {"ce-type", "a.b"}};

class IngressTest : public testing::Test {
 protected:
  IngressTest() {
    auto loaded = config::LoadText(
        "apiVersion: outrigger/v1\nkind: Sidecar\nroutes:\n"
        "  - {match: {type: a.b, header.tenant: blue}, topic: by.header}\n"
        "  - {match: {type: a.b, extension.tenant: blue}, topic: by.extension}\n"
        "  - {match: {type: 'a.*'}, topic: rest}\n",
        "test.yaml", [](const char*) { return std::nullopt; });
    publisher_.SetRoutes(Routes::Build(loaded.config, loaded.problems));
    EXPECT_TRUE(loaded.ok()) << loaded.problems.front().text();
    handler_ = ingress_.handler();
  }

  // The code of the answer.
  int Post(const std::string& path, Fields fields, const std::string& body,
           std::vector<std::pair<std::string, std::string>> query = {}) {
    const auto request = std::make_shared<test::FakeRequest>();
    http::Head& head = request->mutable_head();
    head.method = "POST";
    head.path = path;
    head.fields = std::move(fields);
    head.query = std::move(query);
    head.content_length = body.size();
    auto plan = handler_.on_head(request);
    if (plan.refuse) request->answer = std::move(plan.refuse);
    if (!request->answer && plan.on_chunk) {
      EXPECT_EQ(plan.on_chunk(body), body.size());
    } else {
      request->body() = body;
    }
    if (!request->answer) handler_.on_request(request);
    EXPECT_TRUE(request->answer) << "no answer";
    if (!request->answer) return 0;
    body_ = request->answer->body;
    return request->answer->status;
  }
  int PostEvents(const std::string& type, const std::string& body, Fields more = {}) {
    if (!type.empty()) more.push_back({"content-type", type});
    return Post("/v1/events", std::move(more), body);
  }

  double Discarded(const char* topic) {
    return metrics_.Producer(topic)[ProducerOutcome::kDiscarded].value();
  }
  double Failed() { return metrics_.Producer("none")[ProducerOutcome::kFailed].value(); }
  double Failed(ProducerReason reason) { return metrics_.Producer("none")[reason].value(); }

  base::ManualClock clock_;
  base::Loop loop_{clock_.clock()};
  telemetry::Metrics metrics_;
  Publisher publisher_{loop_, kafka::RecordSink(), nullptr, metrics_, {.source = "test"}};
  Ingress ingress_{loop_,
                   publisher_,
                   nullptr,
                   metrics_,
                   [] { return std::string(); },
                   {.max_body = 100, .token = {}, .raw_topics = {"raw.*"}, .rate = {}}};
  http::Handler handler_;
  std::string body_;  // of the last answer
};

TEST_F(IngressTest, EveryJsonTypeIsAnEnvelopeAndTheNamesOfNdjsonAreAStream) {
  for (const char* type :
       {"", "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "text/json",
        "model/json", "application/vnd.shop+json", "application/json ;v=1"})
    EXPECT_EQ(PostEvents(type, kEnvelope), 202) << type << body_;
  for (const char* type :
       {"application/x-ndjson", "application/ndjson", "application/jsonl", "Application/X-NDJSON",
        "application/x-ndjson; charset=utf-8", "application/jsonl;charset=UTF-8"}) {
    EXPECT_EQ(PostEvents(type, std::string(kEnvelope) + "\n" + kEnvelope), 202) << type << body_;
    EXPECT_NE(body_.find(R"("accepted":2)"), std::string::npos) << body_;
  }
  for (const char* type : {"text/plain", "application/jsonx", "json", "application/json-seq",
                           "application/cloudevents", "application/cloudevents+avro",
                           "application/cloudevents-own+json", "application/x-www-form-urlencoded"})
    EXPECT_EQ(PostEvents(type, kEnvelope), 415) << type;
}

TEST_F(IngressTest, ABinaryEventMayHaveDataOfAnyTypeAndAnIdempotencyKey) {
  for (const char* type : {"application/x-ndjson", "application/jsonl", "text/csv", "model/json"}) {
    Fields fields = kBinary;
    fields.push_back({"idempotency-key", type});
    EXPECT_EQ(PostEvents(type, "1", fields), 202) << type << body_;
  }
  EXPECT_EQ(PostEvents("application/x-ndjson", kEnvelope, {{"idempotency-key", "k"}}), 400);
  EXPECT_EQ(PostEvents("model/json", "{", kBinary), 400) << "it says that it is JSON";
}

TEST_F(IngressTest, AHeaderMatchIsTheSameForEveryForm) {
  const std::string structured = R"({"specversion":"1.0","type":"a.b","data":1})";
  const Fields blue{{"kafka-tenant", "blue"}};
  double count = 0;
  const auto expect = [&](int code, const char* what) {
    EXPECT_EQ(code, 202) << what << body_;
    EXPECT_EQ(Discarded("by.header"), ++count) << what;
  };
  expect(PostEvents("", R"({"type":"a.b","headers":{"tenant":"blue"},"data":1})"), "envelope");
  expect(PostEvents("", kEnvelope, blue), "envelope and request");
  expect(PostEvents("application/cloudevents+json", structured, blue), "structured");
  expect(PostEvents("application/cloudevents-batch+json", "[" + structured + "]", blue), "batch");
  expect(PostEvents("application/x-ndjson", kEnvelope, blue), "ndjson");
  Fields binary = kBinary;
  binary.insert(binary.end(), blue.begin(), blue.end());
  expect(PostEvents("text/plain", "x", binary), "binary");
  expect(Post("/v1/events/a.b", blue, "1"), "type in the path");
  PostEvents("", R"({"type":"a.b","headers":{"tenant":"red"},"data":1})", blue);
  EXPECT_EQ(Discarded("by.header"), count) << "the event's own header wins";
  Fields plain = kBinary;
  plain.push_back({"tenant", "blue"});
  PostEvents("text/plain", "x", plain);
  EXPECT_EQ(Discarded("by.header"), count) << "a plain HTTP header is nothing of the event";
}

TEST_F(IngressTest, AnExtensionMatchIsTheSameForEveryCloudEvent) {
  PostEvents("application/cloudevents+json",
             R"({"specversion":"1.0","type":"a.b","tenant":"blue","data":1})");
  Fields binary = kBinary;
  binary.push_back({"ce-tenant", "blue"});
  PostEvents("text/plain", "x", binary);
  Post("/v1/events/a.b", {{"ce-tenant", "\"blue\""}}, "1");
  EXPECT_EQ(Discarded("by.extension"), 3);
}

TEST_F(IngressTest, AByteOrderMarkIsSkippedInEveryForm) {
  const std::string mark = "\xEF\xBB\xBF";
  const std::string structured = R"({"specversion":"1.0","type":"a.b","data":1})";
  EXPECT_EQ(PostEvents("", mark + kEnvelope), 202) << body_;
  EXPECT_EQ(PostEvents("application/cloudevents+json", mark + structured), 202) << body_;
  EXPECT_EQ(PostEvents("application/cloudevents-batch+json", mark + "[" + structured + "]"), 202);
  EXPECT_EQ(PostEvents("application/jsonl", mark + kEnvelope + "\n"), 202) << body_;
  EXPECT_EQ(PostEvents("application/json", mark + "{}", kBinary), 202) << body_;
  EXPECT_EQ(Post("/v1/events/a.b", {}, mark + "{}"), 202) << body_;
  EXPECT_EQ(PostEvents("", std::string("{\0\"\0", 4)), 400);
  EXPECT_NE(body_.find("UTF-16"), std::string::npos) << body_;
}

TEST_F(IngressTest, WithoutASpoolThereIsNothingToListOrChange) {
  EXPECT_EQ(Post("/v1/spool/quarantine/drop", {{"content-type", "application/json"}}, "{}"), 404);
  EXPECT_NE(body_.find("spool.path"), std::string::npos) << body_;
  EXPECT_EQ(Post("/v1/spool", {}, ""), 405);
  EXPECT_EQ(Post("/v1/spool/events/", {}, ""), 404);
}

TEST_F(IngressTest, WhatIsRefusedForItsFormIsCountedInvalid) {
  double count = 0;
  const auto expect = [&](int code, const char* what) {
    EXPECT_EQ(code, 400) << what << body_;
    EXPECT_EQ(Failed(ProducerReason::kInvalid), ++count) << what;
    EXPECT_EQ(Failed(), count) << what;
  };
  expect(PostEvents("", "no"), "envelope");
  expect(PostEvents("application/cloudevents+json", "{}"), "structured");
  expect(PostEvents("application/cloudevents+json", R"({"specversion":"1.0","type":"a.b","id":5})"),
         "an id that is no string");
  expect(PostEvents("application/cloudevents-batch+json", "[{}"), "batch");
  expect(PostEvents("application/cloudevents-batch+json", "[{}]"), "batch item");
  expect(PostEvents("application/x-ndjson", "no\n"), "line");
  expect(PostEvents("application/json", "no", kBinary), "binary");
  expect(Post("/v1/topics/raw.a", {}, "x", {{"partition", "x"}}), "raw");
  EXPECT_EQ(Failed(ProducerReason::kTooLarge), 0);
}

TEST_F(IngressTest, TooLargeIsCountedWhereverItIsRefused) {
  std::string batch = "[{}";
  for (int n = 0; n < 16'384; ++n) batch += ",{}";
  EXPECT_EQ(PostEvents("application/cloudevents-batch+json", batch + "]"), 413);
  EXPECT_EQ(Failed(ProducerReason::kTooLarge), 1);
  EXPECT_EQ(PostEvents("application/x-ndjson", std::string(101, 'x') + "\n"), 413);
  EXPECT_EQ(Failed(ProducerReason::kTooLarge), 2);
  http::Problem problem;
  problem.status = 413;
  handler_.on_refused(test::FakeRequest(), problem);
  EXPECT_EQ(Failed(ProducerReason::kTooLarge), 3);
  problem.status = 408;
  handler_.on_refused(test::FakeRequest(), problem);
  EXPECT_EQ(Failed(), 3) << "a slow sender's body was never an event";
  EXPECT_EQ(Failed(ProducerReason::kInvalid), 0);
}

TEST_F(IngressTest, ARawTombstoneAndAnEmptyValueAreTwoRecords) {
  const Fields id{{"idempotency-key", "k"}};
  EXPECT_EQ(Post("/v1/topics/raw.a", id, "", {{"key", "a"}, {"tombstone", "true"}}), 202) << body_;
  EXPECT_EQ(Post("/v1/topics/raw.a", id, "", {{"key", "a"}, {"tombstone", "true"}}), 202) << body_;
  EXPECT_EQ(Post("/v1/topics/raw.a", id, "", {{"key", "a"}}), 409) << body_;
}

}  // namespace
}  // namespace outrigger::publish
