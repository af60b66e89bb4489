#include "requests.h"

#include <cstdio>

#include "event_text.h"

namespace outrigger::bench {
namespace {

constexpr size_t kChunk = 64 << 10;
constexpr size_t kDistinctBatches = 16;

std::string Head(const std::string& media_type) {
  return "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + media_type + "\r\n";
}

std::string WithLength(const std::string& media_type, const std::string& body) {
  return Head(media_type) + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

std::vector<Request> SingleRequests(const std::string& type, size_t keys) {
  std::vector<Request> requests(keys);
  for (size_t i = 0; i < keys; ++i) {
    requests[i].head = WithLength("application/json", EnvelopeText(type, KeyText(i)));
    requests[i].events = 1;
  }
  return requests;
}

std::vector<Request> BatchRequests(const std::string& type, size_t keys, size_t size) {
  std::vector<Request> requests(kDistinctBatches);
  size_t key = 0;
  for (Request& request : requests) {
    std::string body = "[";
    for (size_t i = 0; i < size; ++i) {
      if (i > 0) body.push_back(',');
      body += CloudEventText(type, KeyText(key++ % keys));
    }
    request.head = WithLength("application/cloudevents-batch+json", body + "]");
    request.events = size;
  }
  return requests;
}

Request LineStream(const std::string& type, size_t keys) {
  Request request;
  request.head = Head("application/x-ndjson") + "Transfer-Encoding: chunked\r\n\r\n";
  std::string lines;
  // Whole rounds of the keys, so that every key gets as many events as any other.
  while (lines.size() < kChunk) {
    for (size_t i = 0; i < keys; ++i) lines += EnvelopeText(type, KeyText(i)) + "\n";
    request.events += keys;
  }
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", lines.size());
  request.block = size + lines + "\r\n";
  request.tail = "0\r\n\r\n";
  return request;
}

}  // namespace outrigger::bench
